"""Reliability: what damaged model files do, and how many are refused before they do it."""
