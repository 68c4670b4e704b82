"""It starts at once, and a keyless run never loads a model library."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from small_project import small_project

pytestmark = pytest.mark.slow


def test_help_takes_less_than_a_third_of_a_second_of_cpu():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "optagent", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 0.35 * 3, "three times the promise: a bound that a noisy machine cannot break"


HEAVY = ("litellm", "libcst", "pydantic", "git", "sqlite3", "pyperf")


@pytest.mark.parametrize("module", HEAVY)
def test_help_loads_no_heavy_library(module):
    code = (
        "import sys; sys.argv = ['optagent', '--help']\n"
        "from optagent.cli.app import main\n"
        "try: main()\n"
        f"except SystemExit: print('loaded' if {module!r} in sys.modules else 'not loaded', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "not loaded"


def test_a_keyless_run_never_imports_litellm(tmp_path):
    """A module of that name that refuses to be imported stands in its way, whether the real one is there or not."""
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "litellm.py").write_text("raise SystemExit('litellm was imported')\n")
    repo = small_project(tmp_path / "repo")
    code = (
        f"import sys; sys.path.insert(0, {str(trap)!r})\n"
        f"sys.argv = ['optagent', 'run', {str(repo)!r}, '--target', 'score', '--state', {str(tmp_path / 'state')!r}]\n"
        "from optagent.cli.app import main\n"
        "try: main()\n"
        "finally: assert 'litellm' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
