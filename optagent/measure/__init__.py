"""Times old against new, fairly. Reports, never decides."""
