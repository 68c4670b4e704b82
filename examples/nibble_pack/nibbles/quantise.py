"""Symmetric quantisation: codes from 1 to 15 stand for -7 to 7 steps of the block's scale, code 8 for zero."""

from collections.abc import Sequence
from dataclasses import dataclass

from nibbles.packing import pack, unpack

ZERO = 8
STEPS = 7


@dataclass(frozen=True)
class Block:
    scale: float
    count: int
    data: bytes


def compress(weights: Sequence[float]) -> Block:
    """The weights in four bits each; the largest, in absolute value, is kept to a rounding error."""
    largest = max((abs(weight) for weight in weights), default=0.0)
    scale = largest / STEPS
    codes = [ZERO + (round(weight / scale) if scale else 0) for weight in weights]
    return Block(scale, len(codes), pack(codes))


def decompress(block: Block) -> list[float]:
    """The weights as the expert computes with them, each within half a step of what it was."""
    return [(code - ZERO) * block.scale for code in unpack(block.data, block.count)]
