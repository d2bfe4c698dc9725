"""Proof of the Linux installers: on clean systems, without a network, as root and as somebody."""
