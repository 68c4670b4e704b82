"""One factor per channel (column) of a gradient, taken from a sketch of a few rows instead of the whole matrix.

An adaptive optimiser keeps two numbers per weight.  APOLLO keeps them only for a sketch, P times the gradient with a
fixed random P of very few rows, and scales each column of the gradient by how long its sketch is beside the column.
"""

import math
import random

TINY = 1e-8  # a column of zeros has no direction to scale


def fixed_projection(rank, rows, seed=0):
    """A `rank` x `rows` matrix of normal numbers of variance 1/rank; the same for the same seed."""
    rng = random.Random(seed)
    deviation = 1.0 / math.sqrt(rank)
    return [[rng.gauss(0.0, deviation) for _ in range(rows)] for _ in range(rank)]


def dot(left, right):
    return sum(x * y for x, y in zip(left, right, strict=True))


def norm(vector):
    return math.sqrt(sum(x * x for x in vector))


def scale_channels(gradient, projection):
    """`gradient` (a list of rows) with each column multiplied by |projected column| / |column|."""
    factors = []
    for column in zip(*gradient, strict=True):
        sketch = [dot(row, column) for row in projection]
        factors.append(norm(sketch) / max(norm(column), TINY))
    return [[value * factor for value, factor in zip(row, factors, strict=True)] for row in gradient]
