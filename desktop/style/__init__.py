"""How Attune looks: sizes, colours, the style sheet, and following the system's theme."""
