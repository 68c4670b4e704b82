"""What the user asked for: flags, environment and files, each value with the place it came from."""
