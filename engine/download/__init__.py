"""The download program: the only code of Attune that opens sockets, in a process of its own."""
