"""Gradient scaling from a random low-rank sketch, as the APOLLO optimiser does it."""

from apollo.scaling import fixed_projection, scale_channels

__all__ = ["fixed_projection", "scale_channels"]
