"""Images of growing height, for `optagent run . --target extrema --workload workload.py`."""

SIZE = 240  # rows


def make_inputs(size, rng):
    """Three bands of `size` rows of 320: full of noise, of low contrast, and overexposed (one value only)."""
    grey, half = rng.randrange(96, 160), rng.randrange(16, 64)
    noise = [[rng.randrange(256) for _ in range(320)] for _ in range(size)]
    dull = [[rng.randint(grey - half, grey + half) for _ in range(320)] for _ in range(size)]
    blank = [[255] * 320 for _ in range(size)]
    return [(noise,), (dull,), (blank,)]
