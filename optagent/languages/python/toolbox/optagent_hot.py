"""Where the time of a test session or of a Python command goes, by function of the project.

Runs in the target's interpreter inside the sandbox: standard library only. What compiled functions take is booked on
the Python function that called them: it is there that something can be changed.

    python optagent_hot.py (script.py | -m module) arguments...
"""

from __future__ import annotations

import cProfile
import os
import runpy
import sys
from typing import Any

MOST_ROWS = 2000


class Hot:
    """A profiler of this thread."""

    def __init__(self) -> None:
        self.profiler = cProfile.Profile(builtins=False)

    def start(self) -> None:
        self.profiler.enable()

    def stop(self) -> dict[str, Any]:
        """Rows of file, first line, name, calls, seconds of its own, seconds with what it calls; and all seconds."""
        self.profiler.disable()
        rows: list[list[Any]] = []
        seconds = 0.0
        for entry in self.profiler.getstats():
            seconds += entry.inlinetime
            code: Any = entry.code
            if not isinstance(code, str):
                place = [os.path.realpath(code.co_filename), code.co_firstlineno, code.co_qualname]
                rows.append([*place, entry.callcount, entry.inlinetime, entry.totaltime])
        return {"seconds": seconds, "rows": sorted(rows, key=lambda row: -row[4])[:MOST_ROWS]}


def main(words: list[str]) -> None:
    """The command run to its end, then what it took on the report's descriptor."""
    import optagent_frames

    descriptor = int(os.environ["OPTAGENT_FD"])
    is_module = words[0] == "-m"
    name, sys.argv = (words[1], words[1:]) if is_module else (words[0], words)
    sys.path[0] = os.getcwd() if is_module else os.path.dirname(os.path.abspath(name))
    hot = Hot()
    hot.start()
    try:
        if is_module:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(name, run_name="__main__")
    finally:
        report = memoryview(optagent_frames.pack(hot.stop()))
        while report:
            report = report[os.write(descriptor, report) :]


if __name__ == "__main__":
    main(sys.argv[1:])
