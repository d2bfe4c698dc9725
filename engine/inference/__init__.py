"""Talking to llama.cpp: the child process, its protocol, and the parent's side of it."""
