"""Blocks of growing length, for `optagent run . --target pack --workload workload.py`."""

SIZE = 6000  # values


def make_inputs(size, rng):
    """Four calls of `pack`: codes of weights that are roughly normal, two of the blocks of odd length."""

    def code():
        return min(15, max(1, 8 + round(rng.gauss(0.0, 2.5))))

    return [([code() for _ in range(size + extra)],) for extra in (0, 1, 2, 3)]
