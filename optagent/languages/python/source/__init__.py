"""Python source read without running it: files, functions, imports, and which code is the same."""
