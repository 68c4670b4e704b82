import random

import pytest

from imaging import EmptyBandError, autocontrast, band_from_bytes, extrema, image_extrema, lookup_table, split


def noise(seed, width=160, height=120, low=0, high=255):
    rng = random.Random(seed)
    return [[rng.randint(low, high) for _ in range(width)] for _ in range(height)]


@pytest.mark.parametrize(("low", "high"), [(0, 255), (1, 254), (40, 200), (0, 127), (128, 255), (90, 92)])
def test_the_extrema_are_those_of_all_pixels(low, high):
    band = noise(low + high, low=low, high=high)
    everything = [value for row in band for value in row]
    assert extrema(band) == (min(everything), max(everything))


@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
def test_a_flat_image_has_one_value_for_both(value):
    assert extrema([[value] * 100 for _ in range(80)]) == (value, value)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_single_pixel_is_both(value):
    assert extrema([[value]]) == (value, value)


@pytest.mark.parametrize("step", [1, -1])
def test_a_ramp_has_its_ends_as_extrema(step):
    assert extrema([list(range(10, 200))[::step]]) == (10, 199)
    assert extrema([[value] for value in range(10, 200)][::step]) == (10, 199)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 63), (47, 0), (47, 63), (20, 31)])
def test_one_odd_pixel_is_found_wherever_it_is(row, column):
    band = noise(7, width=64, height=48, low=100, high=150)
    band[row][column] = 3
    assert extrema(band)[0] == 3
    band[row][column] = 251
    assert extrema(band)[1] == 251


def test_black_and_white_in_different_rows():
    assert extrema([[255] * 8] + [[9] * 8] * 40 + [[0] * 8]) == (0, 255)


def test_rows_without_pixels_do_not_matter():
    assert extrema([[], [5, 6], []]) == (5, 6)


@pytest.mark.parametrize("band", [[], [[]], [[], [], []]])
def test_an_image_without_pixels_is_refused(band):
    with pytest.raises(EmptyBandError, match="no extrema"):
        extrema(band)
    with pytest.raises(EmptyBandError):
        autocontrast(band)


def test_the_image_is_left_alone():
    band = noise(3, width=20, height=10)
    extrema(band)
    assert band == noise(3, width=20, height=10)


def test_each_band_of_an_image_has_its_own():
    pixels = bytes([10, 200, 0, 20, 100, 0, 30, 150, 255, 15, 120, 9])
    assert image_extrema(split(pixels, width=2, bands=3)) == [(10, 30), (100, 200), (0, 255)]


def test_the_stretch_uses_the_full_range_and_keeps_the_order():
    band = noise(21, low=60, high=140)
    stretched = autocontrast(band)
    assert extrema(stretched) == (0, 255)
    pairs = sorted(set(zip(sum(band, []), sum(stretched, []))))
    assert [new for _, new in pairs] == sorted(new for _, new in pairs)


def test_nothing_to_stretch_changes_nothing():
    assert autocontrast([[9, 9], [9, 9]]) == [[9, 9], [9, 9]]
    assert lookup_table(0, 255) == list(range(256))


def test_bytes_are_cut_into_rows():
    assert band_from_bytes(b"\x00\x01\x02\x03\x04\x05", 3) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("width", [0, -2, 4])
def test_bytes_that_are_no_whole_rows_are_refused(width):
    with pytest.raises(ValueError, match="width|rows"):
        band_from_bytes(bytes(6), width)


def test_bytes_that_are_no_whole_pixels_are_refused():
    with pytest.raises(ValueError, match="bands"):
        split(bytes(7), width=1, bands=3)
