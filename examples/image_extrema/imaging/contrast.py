"""Contrast stretch: the darkest value becomes 0, the brightest 255, the rest lies on a line between."""

from imaging.bands import Band
from imaging.statistics import extrema


def lookup_table(lowest: int, highest: int) -> list[int]:
    """The new value of each old one; the identity if there is nothing to stretch."""
    if highest <= lowest:
        return list(range(256))
    scale = 255.0 / (highest - lowest)
    return [min(255, max(0, round((value - lowest) * scale))) for value in range(256)]


def autocontrast(band: Band) -> Band:
    """A new band with the contrast of the old one stretched to the full range.

    :raises EmptyBandError: if there is no pixel in it
    """
    table = lookup_table(*extrema(band))
    return [[table[value] for value in row] for row in band]
