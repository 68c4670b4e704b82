"""Bands from raw bytes."""

Band = list[list[int]]


class EmptyBandError(ValueError):
    """The operation needs at least one pixel."""


def band_from_bytes(data: bytes, width: int) -> Band:
    """Cut the bytes of one band into rows.

    :param data: the pixels, row after row, without padding
    :param width: pixels per row
    :raises ValueError: if the last row is not complete
    """
    if width <= 0:
        raise ValueError(f"width must be positive, not {width}")
    if len(data) % width:
        raise ValueError(f"{len(data)} bytes are no whole number of rows of {width}")
    return [list(data[start : start + width]) for start in range(0, len(data), width)]


def split(data: bytes, width: int, bands: int) -> list[Band]:
    """The bands of an image whose pixels are interleaved, as in RGBRGB.

    :raises ValueError: if the last pixel or the last row is not complete
    """
    if len(data) % bands:
        raise ValueError(f"{len(data)} bytes are no whole number of pixels of {bands} bands")
    return [band_from_bytes(data[band::bands], width) for band in range(bands)]
