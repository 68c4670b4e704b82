"""What became of cheats that were planted in the user's own function, as text."""

from __future__ import annotations

from optagent.core.verdict import Faster
from optagent.report.run import RunReport
from optagent.report.text import idea_line, one_line, safe, verdict_line

HEAD = "cheats planted in"


def selftest_text(report: RunReport) -> str:
    """A line for every cheat, and one that says whether all of them lost."""
    lines = [f"{HEAD} {report.target}:"]
    lines += [f"  {idea_line(one.candidate.idea)}: {verdict_line(one.verdict)}" for one in report.trials]
    won = [one for one in report.trials if isinstance(one.verdict, Faster)]
    if won:
        lines.append(f"{len(won)} of {len(report.trials)} were called faster: do not trust a speedup of this function")
    else:
        lines.append(f"all {len(report.trials)} lose")
    lines += [f"warning: {safe(one_line(one, 400))}" for one in report.warnings]
    lines.append(f"run {report.run}; sandbox {report.sandbox}")
    return safe("\n".join(lines)) + "\n"
