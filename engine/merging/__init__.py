"""Merging fine-tuned models of one base (CALM), with real gradients: pure functions on arrays."""
