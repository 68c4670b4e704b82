"""The append-only record of runs: events in SQLite, artifacts beside it, and a run rebuilt from both."""
