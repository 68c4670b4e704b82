"""Known rewrites, proposed without a model. Start at `registry.proposals`."""
