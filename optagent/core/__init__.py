"""Ground floor: values and statistics. No files, no clock, no processes, no randomness of its own."""
