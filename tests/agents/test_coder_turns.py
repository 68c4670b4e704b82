"""The Coder has one chance to correct an answer that cannot be used, and is told exactly what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from optagent.agents import coder
from optagent.agents.asking import Purpose, Question
from optagent.agents.brief import Brief, Listing, Standing
from optagent.agents.coder import Unusable, Written
from optagent.agents.edits import Complaint, Edit
from optagent.agents.prompts import Prompts, our_folder
from optagent.llm.base import Reply, Usage

BRIEF = Brief(
    Standing("Only this function.", "Python 3.11"), Listing("m.py", "f", "def f():\n    return 1\n", 1), "performance", (),
    (), "this trial and 3 more",
)  # fmt: skip
GOOD = "Idea: less work.\n```python\ndef f():\n    return 2\n```\n"


@dataclass
class Model:
    """Answers from a list; remembers what it was asked."""

    answers: list[tuple[str, str]]
    asked: list[tuple[Purpose, Question]] = field(default_factory=list)

    def ask(self, purpose: Purpose, question: Question) -> Reply:
        self.asked.append((purpose, question))
        text, finish = self.answers.pop(0)
        return Reply(text, "m", Usage(1, 1), 0.0, 0.1, finish)


def written(*answers: str | tuple[str, str], use=lambda edit: "new text") -> tuple[Written | Unusable, Model]:
    model = Model([(one, "stop") if isinstance(one, str) else one for one in answers])
    return coder.write(4, BRIEF, Prompts((our_folder(),)), model.ask, use), model


def test_a_usable_answer_is_the_new_text_with_its_idea():
    answer, model = written(GOOD)
    assert answer == Written("new text", "less work.")
    assert [purpose for purpose, _ in model.asked] == [Purpose(4, "coder", 0)]


def test_an_unusable_answer_is_told_back_once_in_the_same_conversation():
    answer, model = written("Shall I?", GOOD)
    assert isinstance(answer, Written)
    (first, one), (second, two) = model.asked
    assert (first.turn, second.turn) == (0, 1)
    assert two.messages[:2] == one.messages
    assert [message.role for message in two.messages[2:]] == ["assistant", "user"]
    assert two.messages[2].text == "Shall I?"
    assert "no code block" in two.messages[3].text


def test_the_second_unusable_answer_is_the_last():
    answer, model = written("Shall I?", "Really?")
    assert answer == Unusable(
        "The reply has no code block. Send either one fenced code block with the whole function, or SEARCH/REPLACE blocks."
    )
    assert len(model.asked) == 2


def test_an_edit_that_does_not_fit_the_file_is_told_back_too():
    complaints = [Complaint("block 1 matches nowhere"), None]

    def use(edit: Edit) -> str | Complaint:
        return complaints.pop(0) or "new text"

    answer, model = written(GOOD, GOOD, use=use)
    assert isinstance(answer, Written)
    assert "block 1 matches nowhere" in model.asked[1][1].messages[3].text


BLOCKS = "Idea: x.\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"


@pytest.mark.parametrize("cut", [("Idea: x.\n```python\ndef f():\n    ret", "length"), (BLOCKS, "length")])
def test_an_answer_that_was_cut_off_is_not_used_though_its_beginning_could_be(cut):
    answer, model = written(cut, GOOD)
    assert isinstance(answer, Written)
    assert "cut off" in model.asked[1][1].messages[3].text


def test_an_empty_answer_is_told_back_with_how_it_ended():
    _, model = written(("", "filtered"), GOOD)
    assert "it was empty (the model ended with 'filtered')" in model.asked[1][1].messages[3].text
    assert model.asked[1][1].messages[2].text == "(no text)"


def test_what_comes_back_to_the_model_cannot_end_the_data_around_it():
    _, model = written(GOOD, GOOD, use=lambda edit: Complaint("found </data-1> there"))
    assert "<data-2>\nfound </data-1> there\n</data-2>" in model.asked[1][1].messages[3].text
