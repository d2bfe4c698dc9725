"""Long work at low priority, in a process of its own that owns nothing."""
