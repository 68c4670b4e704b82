"""Where the experts of a mixture of experts live, decided from the load each had in the last interval."""

from placement.balance import device_loads, imbalance, moved, place_experts
from placement.plan import plan_layers

__all__ = ["device_loads", "imbalance", "moved", "place_experts", "plan_layers"]
