"""What a Coder is shown of a file, and the file with its edit in it."""
