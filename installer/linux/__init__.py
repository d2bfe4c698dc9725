"""What installs Attune on Linux: a Debian package, and an archive for one user without root."""
