"""What can be said about an image by looking at every pixel once."""

from imaging.bands import Band, EmptyBandError


def extrema(band: Band) -> tuple[int, int]:
    """The darkest and the brightest value of a band.

    :raises EmptyBandError: if there is no pixel in it
    """
    lowest, highest = 255, 0
    pixels = 0
    for row in band:
        for value in row:
            if value < lowest:
                lowest = value
            if value > highest:
                highest = value
            pixels += 1
    if pixels == 0:
        raise EmptyBandError("an image without pixels has no extrema")
    return lowest, highest


def image_extrema(bands: list[Band]) -> list[tuple[int, int]]:
    """The extrema of each band of an image, in the order of the bands."""
    return [extrema(band) for band in bands]
