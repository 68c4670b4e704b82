"""The Coder: from a brief to an edit of the target's file, with one chance to correct an answer nobody can use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optagent.agents.asking import Ask, Purpose, Question, opening
from optagent.agents.brief import Brief
from optagent.agents.prompts import Prompts
from optagent.agents.reply import Complaint, Edit, WholeFunction, read_reply
from optagent.llm.base import Reply

TURNS = 2
NOTHING = "(no text)"  # some providers take no empty message
CUT_OFF = "it was cut off before its end: it is too long, so answer with SEARCH/REPLACE blocks of the lines that change"


@dataclass(frozen=True)
class Written:
    """The whole new text of the target's file, and what the Coder says it does."""

    source: str
    idea: str


@dataclass(frozen=True)
class Unusable:
    """The answer could not be used, also when it was given a second time."""

    reason: str


Use = Callable[[Edit], "str | Complaint"]
"""An edit made in the parent's file: its new text, or what is wrong with the edit."""


def question(brief: Brief, prompts: Prompts) -> Question:
    """What the Coder is asked first."""
    return opening("coder", prompts, brief=brief)


def write(number: int, brief: Brief, prompts: Prompts, ask: Ask, use: Use) -> Written | Unusable:
    """The Coder's version for one trial."""
    asked = question(brief, prompts)
    complaint = Complaint("")
    for turn in range(TURNS):
        reply = ask(Purpose(number, "coder", turn), asked)
        answer = _used(reply, use)
        if isinstance(answer, Written):
            return answer
        complaint = answer
        again = prompts.render("coder_again.md", complaint=complaint.reason)
        said = reply.text.strip() or NOTHING
        asked = asked.followed_by(said, again.text, again.version)
    return Unusable(complaint.reason)


def _used(reply: Reply, use: Use) -> Written | Complaint:
    if not reply.text.strip():
        return Complaint(f"it was empty (the model ended with {reply.finish!r})")
    edit = read_reply(reply.text)
    if reply.finish == "length" and not isinstance(edit, WholeFunction):
        return Complaint(CUT_OFF)  # of several blocks the last ones may be missing
    if isinstance(edit, Complaint):
        return edit
    source = use(edit)
    return source if isinstance(source, Complaint) else Written(source, edit.idea or "no idea was given")
