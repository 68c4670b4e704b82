"""Coder and Judge: prompts, and the reading of replies. What a model wrote is turned into an edit in `reply.py`."""
