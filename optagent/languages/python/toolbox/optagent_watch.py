"""Watches functions of the project while its tests run: which were called, how often, and with what.

Runs in the target's interpreter: standard library only. Two ways in, `optagent_events` and `optagent_shims`. Only
outermost calls are recorded: those that a function makes to itself are its own business.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

from optagent_record import COUNTED, DUE, ENOUGH, Purse, Recorder

# the best way in that this interpreter has; found now, since a test command's path is its own later
if sys.version_info >= (3, 12):
    from optagent_events import Events as WayIn
else:
    from optagent_shims import Shims as WayIn

if TYPE_CHECKING:
    from types import CodeType, FrameType

    Key = tuple[str, str, int]

MOST_PER_TEST, OFTEN, FEW_PER_TEST = 2_000, 5_000, 50
"""So many calls of one function within one test are counted, the rest of that test runs at full speed; of a function
that has been called often there is enough to choose from with the first few of a further test."""

MOST_RESTING = 30
"""And it is left alone for some tests after each, the longer the more often it has been called, up to so many."""

FIRST_TESTS = 64
"""The first call of each test is looked at in so many tests, then in ever fewer."""


class Watched:
    """One function under watch."""

    def __init__(self, number: int, recorder: Recorder, most: int) -> None:
        self.number = number
        self.recorder = recorder
        self.in_this_test = 0
        self.tests = 0
        self.most = most
        self.resting = 0


class Watch:
    """`targets` are rows of path, qualified name and first line (decorators included); `keep` asks for arguments.
    Without it, one call in a test is enough."""

    def __init__(self, targets: list[list[Any]], keep: bool, test_files: set[str]) -> None:
        self.keep = keep
        self.test_files = test_files
        self.purse = Purse()
        self.watched: dict[Key, Watched] = {}
        for number, (path, qualname, line) in enumerate(targets):
            recorder = Recorder(self.purse, self.by_value)
            key = os.path.realpath(path), qualname, line
            self.watched[key] = Watched(number, recorder, MOST_PER_TEST if keep else 0)
        self.all = list(self.watched.values())
        self.files = {path for path, _, _ in self.watched}
        self.called: list[Watched] = []
        self.at_rest: list[Watched] = []
        self.real: dict[str, str] = {}
        self.chance = random.Random(1)
        self.inside = threading.local()
        self.way = WayIn(self) if self.watched else None

    def by_value(self, module: str) -> bool:
        """Whether a function of that module has to be carried as code: a worker imports no tests."""
        if module == "__main__":
            return True
        return self.real_path(getattr(sys.modules.get(module), "__file__", None) or "") in self.test_files

    def real_path(self, file: str) -> str:
        if file not in self.real:
            self.real[file] = os.path.realpath(file)
        return self.real[file]

    def lookup(self, code: CodeType) -> Watched | None:
        return self.watched.get((self.real_path(code.co_filename), code.co_qualname, code.co_firstlineno))

    def new_test(self) -> None:
        """What was left alone in the last test is watched again, but for what rests."""
        for one in self.at_rest:
            one.resting -= 1
        self.at_rest = [one for one in self.at_rest if one.resting]
        for one in self.called:
            if self.keep:
                self.look_back(one)
            one.in_this_test = 0
        self.called = []
        if self.way is not None:
            self.way.new_test()

    def look_back(self, one: Watched) -> None:
        """What the calls of the last test mean for the next ones."""
        one.tests += 1
        if self.chance.random() * one.tests < FIRST_TESTS:
            one.recorder.next_look = 0
        if one.recorder.calls < OFTEN:
            return
        if one.in_this_test > one.most:  # it runs free now, and may go on for a while
            one.resting = int(self.chance.random() * min(MOST_RESTING, one.recorder.calls / OFTEN))
            if one.resting:
                self.at_rest.append(one)
        one.most = FEW_PER_TEST

    def touched(self) -> list[int]:
        """The numbers of the functions called since the last `new_test`; while arguments are kept, of some of them."""
        return sorted(one.number for one in self.called)

    def heard(self, one: Watched) -> Any:
        """A call of a function that is watched: what it means."""
        one.in_this_test = count = one.in_this_test + 1
        if count == 1:
            self.called.append(one)
        if count > one.most:
            return ENOUGH
        recorder = one.recorder
        recorder.calls += 1
        if recorder.calls < recorder.next_look or getattr(self.inside, "recording", False):
            return COUNTED
        return DUE if recorder.has_time() else COUNTED

    def look(self, one: Watched, frame: FrameType, code: CodeType, args: Any, kwargs: Any) -> Any:
        """The arguments to go on with, as (args, kwargs): recorded, when this is an outermost call that is wanted.
        Calls that writing the arguments down makes are not the tests'."""
        if is_inner(frame, code) or not one.recorder.wants(args, kwargs):
            return args, kwargs
        self.inside.recording = True
        try:
            return one.recorder.record(args, kwargs)
        finally:
            self.inside.recording = False


def is_inner(frame: FrameType, code: CodeType) -> bool:
    caller = frame.f_back
    while caller is not None:
        if caller.f_code is code:
            return True
        caller = caller.f_back
    return False
