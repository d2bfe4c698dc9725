"""Makes an installed Attune out of the sources: frozen, packed, and proved on clean systems."""
