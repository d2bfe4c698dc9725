"""What installs Attune on Windows: a recipe, not tested on Windows yet."""
