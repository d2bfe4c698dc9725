"""Measured promises: speed, quality, reliability. Each part is one command and keeps results."""
