"""A small portfolio of settings that has a near-best member for every taste (PALM)."""
