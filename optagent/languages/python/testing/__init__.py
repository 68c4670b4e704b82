"""A project's tests: which there are, one run of them, and what that told."""
