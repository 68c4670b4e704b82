"""Where the time goes: facts with units, no advice."""
