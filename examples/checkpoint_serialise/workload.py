"""Checkpoints of growing width, for `optagent run . --target serialise --workload workload.py`."""

SIZE = 768  # values per shard


def make_inputs(size, rng):
    """Three calls of `serialise`, each with 14 shards of `size` values."""
    return [([(f"shard.{i}", [rng.gauss(0.0, 0.02) for _ in range(size)]) for i in range(14)],) for _ in range(3)]
