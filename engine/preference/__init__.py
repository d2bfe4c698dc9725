"""What votes teach: pure functions on arrays, numpy only."""
