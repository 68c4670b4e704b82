"""The share of a project's tests that is spent in the target."""

from __future__ import annotations

from optagent.core import frames
from optagent.core.end_to_end import Sampled
from optagent.core.target import Target, Tree
from optagent.languages.python.environment.home import PythonHome
from optagent.languages.python.testing.pytest_run import PYTEST_ENDINGS, Wish, execute
from optagent.languages.python.testing.report_rows import amount, count

FEWEST_SAMPLES = 25


def sample_tests(home: PythonHome, tree: Tree, target: Target, only: tuple[str, ...], seconds: float) -> Sampled | None:
    """None when the tests cannot be run by our pytest, do not end well, or are too short to be sampled."""
    if home.test_command:
        return None
    result = execute(home, tree, Wish(only, seconds=seconds, share=target, roots=(target.import_root,)))
    try:
        header, _ = frames.read_bytes(result.report)
        if header["exit"] not in PYTEST_ENDINGS:
            return None
        seen = Sampled(count(header["samples"]), count(header["inside"]), amount(header["cpu_s"]))
    except (frames.Malformed, LookupError, TypeError, ValueError):  # whatever the tests wrote there
        return None
    is_one = seen.samples >= FEWEST_SAMPLES and seen.inside <= seen.samples and seen.cpu_s >= 0
    return seen if is_one else None
