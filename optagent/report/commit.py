"""What a commit says of the patch it holds."""

from __future__ import annotations

from optagent.report.run import RunReport
from optagent.report.text import evidence_line, one_line, ratio, safe, speedup_line

LONGEST_SUBJECT = 72


def message(report: RunReport) -> str:
    """Target and ratio; then the interval and the evidence; then the run that has the rest. Nothing else is claimed."""
    won = report.confirmed
    if won is None:
        raise ValueError("a commit is made of a confirmed patch")
    by = ratio(won.speedup.ratio)
    subject = f"Make {report.target} {by} faster"
    if len(subject) > LONGEST_SUBJECT:
        subject = f"Make {report.target.rpartition(':')[2]} {by} faster"
    body = f"{report.target}: {speedup_line(won.speedup)}\n{evidence_line(won.evidence)}"
    return safe(f"{one_line(subject)}\n\n{body}\n\nOptagent-Run: {report.run}\n")
