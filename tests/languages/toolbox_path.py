"""The toolbox as a target's interpreter sees it: plain modules on the path. Imported for that alone."""

from __future__ import annotations

import sys
from pathlib import Path

TOOLBOX = Path(__file__).parents[2] / "optagent" / "languages" / "python" / "toolbox"
sys.path.insert(0, str(TOOLBOX))
