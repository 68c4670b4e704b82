"""Runs a command under a profile and limits. Knows nothing of Python, pytest or candidates."""
