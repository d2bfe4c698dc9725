"""The engine: everything that answers, learns and remembers, without a window."""
