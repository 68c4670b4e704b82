"""Two trees, and which of their functions are judged."""
