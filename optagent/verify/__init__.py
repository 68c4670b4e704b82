"""Whether a candidate still does the same. Knows how to disbelieve."""
