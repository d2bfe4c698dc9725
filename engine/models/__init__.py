"""Which models there are, and what a GGUF file says of itself."""
