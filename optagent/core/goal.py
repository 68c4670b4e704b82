"""What the user wants and what may be spent on it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Goal:
    """The wanted speedup (old time over new). None means that any confirmed gain will do."""

    speedup: float | None = None

    def met_by(self, ratio: float) -> bool:
        return ratio >= (self.speedup or 1.0)


class BudgetSpent(Exception):
    """A ceiling does not leave room for what was about to be done: a normal end, told in one sentence."""


@dataclass(frozen=True)
class Spent:
    """What has gone: wall seconds, trials, money in US dollars, tokens in and out."""

    seconds: float = 0.0
    trials: int = 0
    usd: float = 0.0
    tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.seconds + other.seconds, self.trials + other.trials, self.usd + other.usd, self.tokens + other.tokens
        )


@dataclass(frozen=True)
class Budget:
    """Ceilings, what is settled, and what is reserved for work under way. Reserved counts as gone."""

    limit: Spent
    spent: Spent = Spent()
    reserved: Spent = Spent()

    def allows(self, cost: Spent) -> bool:
        """Whether the worst case `cost` can be reserved without passing any ceiling.

        What costs nothing of a kind is not held up by that kind's ceiling: a provider may bill more than its worst
        case, and trials without a model go on after that. Time passes for everything.
        """
        after = self.spent + self.reserved + cost
        return (
            after.seconds <= self.limit.seconds
            and (not cost.trials or after.trials <= self.limit.trials)
            and (not cost.usd or after.usd <= self.limit.usd)
            and (not cost.tokens or after.tokens <= self.limit.tokens)
        )

    def reserve(self, cost: Spent) -> Budget:
        """The budget with the worst case `cost` set aside. Raises BudgetSpent when it does not fit."""
        if not self.allows(cost):
            raise BudgetSpent(self._refusal(cost))
        return replace(self, reserved=self.reserved + cost)

    def _refusal(self, cost: Spent) -> str:
        left = self.remaining()
        if cost.usd > left.usd:
            return f"the next call could cost ${cost.usd:.4f} and ${left.usd:.4f} of ${self.limit.usd:.2f} is left"
        if cost.tokens > left.tokens:
            return f"the next call could take {cost.tokens} tokens and {left.tokens} of {self.limit.tokens} are left"
        if cost.trials > left.trials:
            return f"{self.limit.trials} trials were made"
        return f"{self.limit.seconds / 60:.1f} minutes are over"

    def settle(self, reserved: Spent, actual: Spent) -> Budget:
        """The reservation given back and the actual cost booked."""
        back = Spent(-reserved.seconds, -reserved.trials, -reserved.usd, -reserved.tokens)
        return replace(self, reserved=self.reserved + back, spent=self.spent + actual)

    def remaining(self) -> Spent:
        gone = self.spent + self.reserved
        return Spent(
            max(0.0, self.limit.seconds - gone.seconds),
            max(0, self.limit.trials - gone.trials),
            max(0.0, self.limit.usd - gone.usd),
            max(0, self.limit.tokens - gone.tokens),
        )
