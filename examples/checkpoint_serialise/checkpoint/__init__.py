"""Checkpoints of a training run: named shards of values in one block of bytes."""

from checkpoint.format import CorruptCheckpoint, parse, serialise

__all__ = ["CorruptCheckpoint", "parse", "serialise"]
