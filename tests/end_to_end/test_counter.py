"""The referee of a run at work on trees that somebody spoils: what the reference owes is not laid to a candidate."""

from __future__ import annotations

import pytest
from small_project import small_project

from optagent.cli.progress import Progress
from optagent.cli.session import Broken, prepared
from optagent.cli.settings import RunSettings
from optagent.cli.shop import Counter
from optagent.core.verdict import Evidence
from optagent.errors import BaselineBroken

pytestmark = [pytest.mark.slow]
DIES = "import os\n\n\ndef score(values, limit):\n    os._exit(3)\n"


@pytest.fixture
def counter(tmp_path):
    settings = RunSettings(str(small_project(tmp_path / "repo")), "score")
    with Progress(10, quiet=True) as progress:
        (found,) = prepared([settings], tmp_path / "state", progress)
        assert not isinstance(found, Broken), found
        found.store()
        with found.workshop.ledger:
            yield Counter(found.workshop, found.problem, progress.stage)
        found.workshop.clear()


def test_a_reference_that_dies_after_its_baseline_is_a_fault_of_the_environment(counter):
    file = counter.workshop.base.root / "scores.py"
    file.chmod(0o644)
    file.write_text(DIES)
    with pytest.raises(BaselineBroken, match="the untouched target fails"):
        counter.ready()
    with pytest.raises(BaselineBroken, match="the untouched target fails"):
        counter.verify(1, counter.workshop.base, Evidence(tests=1))
