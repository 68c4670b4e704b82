"""Imported by every Python that a test command starts (its folder is on PYTHONPATH); gives way to the project's own."""

import contextlib
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
sys.path.insert(0, os.path.dirname(here))
try:
    import optagent_command
finally:
    sys.path.remove(os.path.dirname(here))
optagent_command.begin()
del sys.modules["sitecustomize"]
with contextlib.suppress(ImportError):
    import sitecustomize  # noqa: F401 - the environment's own, which this one stands before
