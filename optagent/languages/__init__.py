"""One adapter per kind of target: locate, replace, build, test, worker command."""
