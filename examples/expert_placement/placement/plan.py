"""The plan for a whole model: a new placement for those layers only in which it is worth the copying."""

from collections.abc import Mapping, Sequence

from placement.balance import imbalance, place_experts


def plan_layers(
    loads: Mapping[str, Sequence[float]],
    current: Mapping[str, Sequence[int]],
    devices: int,
    tolerance: float = 1.1,
) -> dict[str, list[int]]:
    """The new placements by layer; a layer whose imbalance is within `tolerance` keeps what it has.

    A layer without a current placement always gets one.
    """
    plan = {}
    for layer, layer_loads in loads.items():
        homes = current.get(layer)
        if homes is not None and imbalance(layer_loads, homes, devices) <= tolerance:
            continue
        plan[layer] = place_experts(layer_loads, devices)
    return plan
