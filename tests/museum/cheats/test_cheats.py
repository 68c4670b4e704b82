"""Every cheat, at the stopwatch and at the oracle, gains nothing, and its honest twin is called what it is.

One of each kind is played in `make test`, all of them in `make sweep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from court import Court, court
from hall import Hall
from pair import Pair
from table import PAIRS

OF_EACH_KIND = (
    "memo-dict", "primed-in-opening", "forks", "bends-the-clocks", "wrong-later", "equal-to-everything",
    "sorts-its-argument",
)  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sits_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Hall], Court]]:
    """One court for each hall, from its first pair to the end of the module: pairs of one hall stand together."""
    courts: dict[str, Court] = {}
    with ExitStack() as stack:

        def sits(hall: Hall) -> Court:
            if hall.name not in courts:
                courts[hall.name] = stack.enter_context(court(hall, tmp_path_factory.mktemp(hall.name)))
            return courts[hall.name]

        yield sits


def shown(pair: Pair) -> object:
    return pytest.param(pair, id=pair.id, marks=() if pair.id in OF_EACH_KIND else (pytest.mark.sweep,))


@pytest.mark.parametrize("pair", [shown(pair) for pair in PAIRS.values()])
def test_a_cheat_is_not_called_faster(pair: Pair, sits_in: Callable[[Hall], Court]):
    referee = sits_in(pair.hall)
    verdict = referee.judge(pair.cheat)
    assert verdict.kind in pair.ends, verdict
    assert pair.reason in str(verdict)


@pytest.mark.parametrize("pair", [shown(pair) for pair in PAIRS.values()])
def test_its_honest_twin_is_judged_as_code(pair: Pair, sits_in: Callable[[Hall], Court]):
    referee = sits_in(pair.hall)
    verdict = referee.judge(pair.twin)
    assert verdict.kind in pair.twin_ends, verdict
