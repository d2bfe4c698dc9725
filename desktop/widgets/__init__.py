"""Widgets show values and emit intentions; they know style and nothing else of Attune."""
