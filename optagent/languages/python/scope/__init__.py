"""What a candidate may touch."""
