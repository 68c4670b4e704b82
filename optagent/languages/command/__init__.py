"""Targets that are programs: built by a command, run with a file or standard input, judged by what they wrote."""
