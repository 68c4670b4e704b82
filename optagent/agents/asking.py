"""The seam to whoever answers: a purpose and a conversation go out, a reply comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optagent.agents.prompts import Prompts
from optagent.llm.base import Message, Reply


@dataclass(frozen=True)
class Purpose:
    """What a call is for: one turn of one role in the making of one trial. No two calls of a run have the same."""

    trial: int
    role: str
    turn: int = 0


@dataclass(frozen=True)
class Question:
    """A conversation, and the versions of the prompts that it was made from."""

    messages: tuple[Message, ...]
    prompt: str

    def followed_by(self, reply: str, text: str, prompt: str) -> Question:
        """The same conversation with a reply and what is said to it."""
        more = (Message("assistant", reply), Message("user", text))
        return Question((*self.messages, *more), f"{self.prompt}+{prompt}")


def opening(role: str, prompts: Prompts, **values: object) -> Question:
    """What a role is asked first: its own words, then the task with these values."""
    system, task = prompts.render(f"{role}_system.md"), prompts.render(f"{role}_task.md", **values)
    messages = (Message("system", system.text), Message("user", task.text))
    return Question(messages, f"{system.version}+{task.version}")


Ask = Callable[[Purpose, Question], Reply]
"""The answer, paid for and on record. Raises BudgetSpent before anything leaves, ProviderFault when nobody answers."""
