"""Prompts tried on made-up values before anything is run: a template that is wrong is told in the first second."""

from __future__ import annotations

from dataclasses import replace

from optagent.agents import coder, judge, tester
from optagent.agents.brief import Brief, Listing, Standing
from optagent.agents.prompts import Prompts
from optagent.core.advice import Advice

NOTHING = Brief(Standing("", ""), Listing("m.py", "f", "def f(): pass", 1), "performance", (), (), "")
ALL = replace(
    NOTHING,
    standing=Standing("limits", "Python", ("a: int",), ("a hint",)),
    listing=replace(NOTHING.listing, imports="import re", around="class C:", calls=("def g(): pass",)),
    facts=("a fact",),
    lessons=("a lesson",),
    budget="a little",
    advice=Advice("a loop", "a set", 2.0, "performance"),
)
REPAIR = replace(ALL, mode="repair", original="def f(): pass")


def check(prompts: Prompts) -> None:
    """Returns when every prompt can be used for every kind of brief. Raises BadPrompt."""
    for brief in (NOTHING, ALL, REPAIR):
        judge.question(brief, prompts)
        coder.question(brief, prompts)
    for survivors in ((), ("a mistake",)):
        tester.question(tester.Gap(ALL.listing, "Python", ALL.standing.arguments, survivors), prompts)
    prompts.render("coder_again.md", complaint="a complaint")
