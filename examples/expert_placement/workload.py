"""Layers of growing size, for `optagent run . --target place_experts --workload workload.py`."""

SIZE = 768  # experts, the replicas of busy ones included


def make_inputs(size, rng):
    """Three calls of `place_experts`: `size` loads of a few popular and many quiet experts, on 64 devices."""
    return [([float(int(rng.lognormvariate(4.0, 1.2))) for _ in range(size)], 64) for _ in range(3)]
