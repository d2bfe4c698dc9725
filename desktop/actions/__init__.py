"""One small function per verb of the owner; button, menu and key call the same one."""
