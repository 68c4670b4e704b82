"""Weights in four bits: quantised against one scale per block, packed two to a byte."""

from nibbles.packing import TruncatedData, pack, packed_size, unpack
from nibbles.quantise import Block, compress, decompress

__all__ = ["Block", "TruncatedData", "compress", "decompress", "pack", "packed_size", "unpack"]
