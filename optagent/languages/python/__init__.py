"""Python targets."""
