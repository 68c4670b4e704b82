"""Gradients of growing width, for `optagent run . --target scale_channels --workload workload.py`."""

SIZE = 128  # channels


def make_inputs(size, rng):
    """Three calls of `scale_channels`: a 96 x `size` gradient and a projection of rank 4."""

    def normal(rows, columns, deviation):
        return [[rng.gauss(0.0, deviation) for _ in range(columns)] for _ in range(rows)]

    return [(normal(96, size, 0.01), normal(4, 96, 0.5)) for _ in range(3)]
