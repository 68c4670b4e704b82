"""The Tester: from a function, and mistakes in it that nobody noticed, to code that makes inputs for it."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.agents.asking import Ask, Purpose, Question, opening
from optagent.agents.brief import Listing
from optagent.agents.edits import Complaint, WholeFunction
from optagent.agents.prompts import Prompts
from optagent.agents.python_code import look
from optagent.agents.reply import read_reply

ROLE = "tester"
MAKER = "make_inputs"


@dataclass(frozen=True)
class Gap:
    """The untouched function, what runs it, the kinds of arguments that were seen, and the planted mistakes that
    nothing noticed, in words."""

    listing: Listing
    runtime: str
    arguments: tuple[str, ...] = ()
    survivors: tuple[str, ...] = ()


def question(gap: Gap, prompts: Prompts) -> Question:
    """What the Tester is asked."""
    return opening(ROLE, prompts, gap=gap)


def write(number: int, gap: Gap, prompts: Prompts, ask: Ask) -> str | Complaint:
    """Python that defines make_inputs, for the claim of the trial of that number; or why the answer is none."""
    return read_maker(ask(Purpose(number, ROLE), question(gap, prompts)).text)


def read_maker(text: str) -> str | Complaint:
    """The code in an answer.

    >>> read_maker("Here:\\n```python\\ndef make_inputs(size, rng):\\n    return [(size,)]\\n```")
    'def make_inputs(size, rng):\\n    return [(size,)]\\n'
    >>> read_maker("none today").reason
    'The reply has no code block that defines make_inputs.'
    """
    found = read_reply(text)
    if isinstance(found, WholeFunction) and MAKER in look(found.code).functions:
        return found.code
    return Complaint(f"The reply has no code block that defines {MAKER}.")
