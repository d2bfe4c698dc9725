"""What installs Attune on macOS: a recipe, not tested on macOS yet."""
