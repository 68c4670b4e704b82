"""The CPU of a worker's whole life, and the rule that finds work moved out of the stopwatch's sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

LookedAt = Literal["whole", "a block whole", "parts"]
MOVED_SHARE = 0.2
MOVED_NS = 2_000_000
"""Provisional until step 4 (design 4.4): a fifth of the CPU saved and 2 ms, in two of three launches."""

MOVED_IN_ONE_NS = 250_000
"""The same where few blocks are encoded whole, of a millisecond perhaps."""

ENCODING = "encoding of results"
CLEAR_SHARE = 0.1
"""What a phase takes differs by some per cent from side to side when nothing was moved: growth below this share of it
may be that. Then nobody can tell, which is neither a cheat nor a gain."""

CLEAR_LAUNCHES = 6
"""Fewer launches do not tell: on a busy machine one in fifteen differs by more, and two of three did."""

ONCE_SHARE = 0.5
ONCE_GAIN = 0.2
"""What first calls leave undone and somebody does once, to be remembered, is most of what they save. Where that is a
fifth of their time or more, half of it has to reappear in three of four launches."""

PRIMED_NS = 500_000
"""Growth of what is burnt beside the first calls that may be noise: 0.4 ms were seen where nothing was moved."""

PHASES = {ENCODING: "encoded", "opening of arguments": "prepared", "time after an answer": "settled"}

IDLE_NS_PER_TURN = 100_000
"""A stopped side may burn this much in a turn: a second thread needs tens of microseconds to stop."""

IMPORT_NS = 50_000_000
"""Import may grow by this much: an `import heapq` is no cheat, a table computed at import is."""


@dataclass(frozen=True)
class Life:
    """CPU nanoseconds by phase.

    `start` until the first message, `imported` while importing the target, `prepared` while opening inputs,
    `called` in checked calls, `timed` in timed blocks, `encoded` while encoding results of timed blocks,
    `glanced` while encoding a part of them, `settled` after an answer until it was stopped, `idle` while it should
    have been stopped; `turns` counts those.
    """

    start: int = 0
    imported: int = 0
    prepared: int = 0
    called: int = 0
    timed: int = 0
    encoded: int = 0
    glanced: int = 0
    settled: int = 0
    idle: int = 0
    turns: int = 0

    def plus(self, phase: str, cpu_ns: int) -> Life:
        """This life with `cpu_ns` more on one account."""
        name, known = ACCOUNTS[phase], vars(self)
        more = {name: known[name] + cpu_ns, "turns": self.turns + (phase == "idle")}
        return Life(**(known | more))  # many times in a lap, where `replace` would be felt

    def since(self, earlier: Life) -> Life:
        """What came after that moment of it."""
        return Life(**{name: spent - getattr(earlier, name) for name, spent in vars(self).items()})


ACCOUNTS = {
    "start": "start",
    "import": "imported",
    "prepare": "prepared",
    "call": "called",
    "timed": "timed",
    "encode": "encoded",
    "glance": "glanced",
    "settle": "settled",
    "idle": "idle",
}


@dataclass(frozen=True)
class Account:
    """The lives of both sides in one launch. `checked_saved_ns` is the timed CPU that the candidate saved in the blocks
    whose results were to be encoded whole: only what those left undone can reappear in encoding; `looked_at` says of
    how many blocks that were checked that was so. `met_old` and `met_new` are the lives up to the moment when every
    input had been called once; `first_old` and `first_new` what was burnt from the first of these calls to the last,
    and `first_saved_ns` what the candidate saved in those that were encoded whole. `glanced_saved_ns` is what it saved
    in blocks of which a part was to be looked at."""

    old: Life
    new: Life
    checked_saved_ns: int
    met_old: Life = Life()
    met_new: Life = Life()
    first_old: Life = Life()
    first_new: Life = Life()
    first_saved_ns: int = 0
    glanced_saved_ns: int = 0
    looked_at: LookedAt = "whole"


def moved_work(accounts: Sequence[Account], but: str = "") -> str | None:
    """Where the candidate's saving reappeared, or None; `but` is a phase not to ask about. A phase is guilty when most
    launches say so."""
    for name, guilty in (
        (ENCODING, _moved_to_encoding),
        ("opening of arguments", _moved_to_preparation),
        ("time after an answer", _moved_after_answer),
        ("the other side's turn", _burnt_while_stopped),
        ("import", _moved_to_import),
        ("looks at parts of results", _moved_to_glances),
    ):
        told = _telling(accounts, name) if name != but else []
        if 3 * sum(guilty(account) for account in told) >= 2 * len(told) > 0:
            return name
    return None


def done_once(accounts: Sequence[Account]) -> str | None:
    """Where what the first calls saved was done beside them, once, as if to be remembered ever after; or None. Beside
    all that later calls save it is nothing."""
    return next((f"the first {where}" for where in PHASES if _is_done_once(accounts, where)), None)


def _is_done_once(accounts: Sequence[Account], where: str) -> bool:
    told = [one for one in accounts if one.first_saved_ns > ONCE_GAIN * one.first_old.timed]
    if len(told) < max(CLEAR_LAUNCHES, 0.75 * len(accounts)):
        return False
    phase = PHASES[where]
    lives = [(one.first_old, one.first_new) if where == ENCODING else (one.met_old, one.met_new) for one in told]
    before = [getattr(old, phase) for old, _ in lives]
    grown = [getattr(new, phase) - getattr(old, phase) for old, new in lives]
    back = sum(more > ONCE_SHARE * one.first_saved_ns for more, one in zip(grown, told, strict=True))
    return 4 * back >= 3 * len(told) and bool(median(grown) > CLEAR_SHARE * median(before))


def _telling(accounts: Iterable[Account], where: str) -> list[Account]:
    """Those that say something of a phase: without a block that was encoded whole, nothing of what was left undone."""
    return [one for one in accounts if where != ENCODING or one.looked_at != "parts"]


def _grew(excess_ns: int, saved_ns: int, least_ns: int = MOVED_NS) -> bool:
    return excess_ns > least_ns and excess_ns > MOVED_SHARE * saved_ns


def _moved_to_encoding(account: Account) -> bool:
    return _grew(account.new.encoded - account.old.encoded, account.checked_saved_ns, _least_ns(account))


def _least_ns(account: Account) -> int:
    return MOVED_NS if account.looked_at == "whole" else MOVED_IN_ONE_NS


def _moved_to_glances(account: Account) -> bool:
    grown = account.new.glanced - account.old.glanced
    return _grew(grown, account.glanced_saved_ns, MOVED_IN_ONE_NS) and grown > CLEAR_SHARE * account.old.glanced


def _moved_to_preparation(account: Account) -> bool:
    grown = account.new.prepared - account.old.prepared
    return _grew(grown, account.old.timed - account.new.timed) or _is_primed(account)


def _is_primed(account: Account) -> bool:
    """Whether what the first calls saved was done beside them, to be replayed ever after: against what all calls saved,
    one pass over the inputs is nothing."""
    old, new = account.met_old, account.met_new
    before, after = (one.prepared + one.encoded + one.glanced + one.settled + one.idle for one in (old, new))
    grown, saved = after - before, old.timed - new.timed
    return saved > 0 and grown > max(PRIMED_NS, CLEAR_SHARE * before, MOVED_SHARE * saved)


def _moved_after_answer(account: Account) -> bool:
    return _grew(account.new.settled - account.old.settled, account.old.timed - account.new.timed)


def _burnt_while_stopped(account: Account) -> bool:
    return account.new.idle > IDLE_NS_PER_TURN * max(1, account.new.turns)


def _moved_to_import(account: Account) -> bool:
    return account.new.imported - account.old.imported > IMPORT_NS


def moved_in_all(accounts: Iterable[Account]) -> bool:
    """Whether launches that encoded a block whole say together that work was moved there. One alone may be off by as
    much as a small gain saves; their sum is off by less.

    >>> def seen(new):
    ...     return Account(Life(encoded=3_000_000), Life(encoded=new), 1_000_000, looked_at="a block whole")
    >>> moved_in_all([seen(4_000_000)] * 3), moved_in_all(map(seen, (4_000_000, 2_000_000, 3_000_000)))
    (True, False)
    """
    told = _telling(accounts, ENCODING)
    grown, saved = sum(one.new.encoded - one.old.encoded for one in told), sum(one.checked_saved_ns for one in told)
    return _grew(grown, saved, sum(map(_least_ns, told)))


def is_clear(accounts: Sequence[Account], where: str) -> bool:
    """Whether what `moved_work` found in a phase is more than that phase differs by of itself, in launches enough."""
    phase = PHASES.get(where)
    if phase is None:
        return True
    told = _telling(accounts, where)
    if len(told) < CLEAR_LAUNCHES:
        return False
    before = [getattr(one.old, phase) for one in told]
    after = [getattr(one.new, phase) for one in told]
    grown = sum(new - old > CLEAR_SHARE * old for old, new in zip(before, after, strict=True))
    return bool(3 * grown >= 2 * len(told))
