"""Eight-bit images as plain lists: a band is a list of rows, a row a list of values from 0 to 255."""

from imaging.bands import EmptyBandError, band_from_bytes, split
from imaging.contrast import autocontrast, lookup_table
from imaging.statistics import extrema, image_extrema

__all__ = [
    "EmptyBandError",
    "autocontrast",
    "band_from_bytes",
    "extrema",
    "image_extrema",
    "lookup_table",
    "split",
]
