"""The policies that ask a model: what they build on, when they mend, and what they tell."""

from __future__ import annotations

import pytest
from refine_samples import (
    BROKEN_TEST,
    NO_GAIN,
    ORIGINAL,
    OUTSIDE,
    SLOWER,
    WRONG,
    Atelier,
    decided,
    faster,
)

from optagent.core.goal import Spent
from optagent.core.patch import Candidate, Change, Patch
from optagent.core.trial import Trial
from optagent.core.verdict import Verdict
from optagent.search.policy import BASELINE
from optagent.search.refine import Refine, Sample


def played(atelier: Atelier, *verdicts: Verdict) -> Refine:
    """The policy after as many trials as there are verdicts."""
    policy = Refine(atelier.studio())
    for number, verdict in enumerate(verdicts, 1):
        proposal = policy.ask(number)
        assert proposal is not None
        policy.tell(decided(number, proposal, verdict))
    return policy


def answers(*texts: str) -> list[tuple[str, str]]:
    return [(text, f"idea {text}") for text in texts]


def test_it_builds_on_the_best_that_was_verified_and_not_on_the_latest():
    atelier = Atelier(*answers("a", "b", "c", "d"))
    played(atelier, faster(2), faster(3), SLOWER, NO_GAIN)
    assert [parent for _, parent, _ in atelier.written] == [ORIGINAL, "a", "b", "b"]


def test_the_profile_is_always_of_the_code_that_is_shown():
    atelier = Atelier(*answers("a", "b", "c"))
    played(atelier, faster(2), NO_GAIN, NO_GAIN)
    shown = [brief.listing.function for _, _, brief in atelier.written]
    assert atelier.profiled == shown == [ORIGINAL, "a", "a"]


@pytest.mark.parametrize("verdict", [WRONG, BROKEN_TEST, OUTSIDE])
def test_what_goes_wrong_is_mended_once_and_then_left(verdict):
    atelier = Atelier(*answers("a", "b", "c"))
    played(atelier, verdict, verdict, NO_GAIN)
    assert [(parent, brief.mode) for _, parent, brief in atelier.written] == [
        (ORIGINAL, "performance"),
        ("a", "repair"),
        (ORIGINAL, "performance"),
    ]


def test_mending_is_told_what_is_wrong_and_not_where_the_time_goes():
    atelier = Atelier(*answers("a", "b"))
    played(atelier, WRONG, NO_GAIN)
    facts = atelier.judged[1].facts
    assert facts == (
        "it does not do the same; the first difference is in the result of input 4", "before: int 12", "after: int 14",
    )  # fmt: skip


def test_an_answer_that_could_not_be_used_is_a_lesson_and_nothing_to_mend():
    atelier = Atelier(("", "an answer that could not be used"), *answers("b"))
    played(atelier, NO_GAIN, NO_GAIN)
    number, parent, brief = atelier.written[1]
    assert (number, parent, brief.mode) == (2, ORIGINAL, "performance")
    assert "it has no fenced code block" in brief.lessons[0]


def test_what_the_rules_got_wrong_is_not_given_to_the_model_to_mend():
    atelier = Atelier(*answers("b"))
    policy = Refine(atelier.studio())
    ours = Candidate(Patch((Change("m.py", ORIGINAL, "a"),)), "rules/x", "an idea of ours", BASELINE.digest)
    policy.tell(Trial(1, ours, WRONG, Spent(1.0, 1)))
    policy.ask(2)
    assert atelier.written[0][2].mode == "performance"


def test_lessons_say_what_was_expected_and_what_came_of_it():
    atelier = Atelier(*answers("a", "b", "c"))
    played(atelier, faster(2), SLOWER, NO_GAIN)
    assert atelier.written[2][2].lessons == (
        "trial 1: idea a: faster, 2.00 times the speed of the untouched code; 3.00 times was expected",
        "trial 2: idea b: slower, 0.80 times the speed of the untouched code; 3.00 times was expected",
    )


def test_only_a_dozen_lessons_and_the_earlier_gains_are_told():
    atelier = Atelier(*answers(*"abcdefghijklmnopqrst"))
    verdicts = [faster(2), *[NO_GAIN] * 18]
    policy = played(atelier, *verdicts)
    lessons = policy.first_brief().lessons
    assert [lesson.split(":")[0] for lesson in lessons] == ["trial 1", *(f"trial {k}" for k in range(8, 20))]


def test_told_again_after_an_interruption_it_goes_on_where_it_was():
    first = Atelier(*answers("a", "b", "c"))
    whole = played(first, faster(2), WRONG)
    again = Atelier(*answers("c"))
    resumed = Refine(again.studio())
    for trial in whole.trials:
        resumed.tell(trial)
    whole.ask(3)
    resumed.ask(3)
    assert again.judged[0] == first.judged[2]


def test_samples_are_answers_to_one_and_the_same_question():
    atelier = Atelier(*answers("a", "b"))
    policy = Sample(atelier.studio())
    for number in (1, 2):
        proposal = policy.ask(number)
        assert proposal is not None
        policy.tell(decided(number, proposal, faster(2)))
    (_, first, one), (_, second, two) = atelier.written
    assert first == second == ORIGINAL
    assert one == two
    assert one.advice is None
    assert atelier.judged == []
