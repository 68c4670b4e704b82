"""Batches of growing size, for `optagent run . --target route_tokens --workload workload.py`."""

SIZE = 512  # tokens


def make_inputs(size, rng):
    """Three calls of `route_tokens`: `size` tokens over 64 experts, 6 of them chosen.

    The logits have few distinct values, as those of a gate in eight bits, so that ties are common.
    """

    def token():
        return [round(rng.gauss(0.0, 2.0) * 16) / 16 for _ in range(64)]

    return [([token() for _ in range(size)], [rng.choice([-0.0625, 0.0, 0.0625]) for _ in range(64)], 6) for _ in range(3)]
