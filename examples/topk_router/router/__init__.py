"""Top-k routing for a mixture of experts."""

from router.bias import adjust_bias
from router.gating import Routing, route_tokens, top_experts
from router.statistics import dropped_tokens, entropy

__all__ = ["Routing", "adjust_bias", "dropped_tokens", "entropy", "route_tokens", "top_experts"]
