"""The top floor: verbs, settings, and the only place where the parts are put together."""
