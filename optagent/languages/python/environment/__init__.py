"""The interpreter that runs a target, what its sandbox has to see, and what tests need beside it."""
