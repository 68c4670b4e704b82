"""One run from start to report: its parts put together, and what the search does with them."""
