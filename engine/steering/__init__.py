"""Pure functions on logits: numpy only."""
