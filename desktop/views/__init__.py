"""The parts of the window: they join widgets and pass intentions on."""
