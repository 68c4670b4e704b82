"""Trees: the baseline's copy of the user's files, a private checkout per candidate, and the one way back (`apply`)."""
