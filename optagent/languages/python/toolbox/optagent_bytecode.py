"""Bytecode made beforehand, for sources that have none beside them: a worker that writes none would compile them anew.

Runs in the target's interpreter: standard library only.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import BYTECODE_SUFFIXES, SourceFileLoader


def read_from(folder: str) -> None:
    """From here on bytecode that is not beside its source is looked for below `folder`, under the same path.

    Python itself compares it with the text of the source, and compiles what is not of that very text.
    """
    beside = SourceFileLoader.get_data

    def get_data(self: SourceFileLoader, path: str) -> bytes:
        try:
            return beside(self, path)
        except OSError:
            if str(path).endswith(BYTECODE_SUFFIXES[0]):
                with suppress(OSError):  # then it is the first refusal that others shall see
                    return beside(self, folder + str(path))
            raise

    SourceFileLoader.get_data = get_data  # type: ignore[assignment, method-assign]


def lacking() -> list[str]:
    """The sources of all modules imported so far that have no bytecode beside them."""
    found = []
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        source, cached = getattr(spec, "origin", None), getattr(spec, "cached", None)
        if type(source) is str and type(cached) is str and source.endswith(".py") and not os.path.exists(cached):
            found.append(source)
    return sorted(set(found))
