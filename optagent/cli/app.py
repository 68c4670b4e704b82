"""The verbs. Each reads its flags, calls one function of this floor and prints; heavy parts load inside."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from optagent import __version__
from optagent.cli.settings.flags import ORDER, OTHER_PLACES, with_settings
from optagent.cli.shortages import shortages
from optagent.core import outcome as codes
from optagent.errors import OptagentError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Makes real code faster and proves it.",
)

Repo = Annotated[str, typer.Argument(help="the project's folder")]
Run = Annotated[str, typer.Argument(help="the run; the latest if not given")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document on standard output and nothing else")]
State = Annotated[
    Path | None, typer.Option("--state", envvar="OPTAGENT_STATE", help="keep the record of runs in this folder")
]
MaxSlowdown = Annotated[str, typer.Option("--max-slowdown", help="what is surely less slow than this is no regression")]


def version(wanted: bool) -> None:
    if wanted:
        print(f"optagent {__version__}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="print the version and leave")
    ] = False,
) -> None:
    """Makes real code faster and proves it."""


@app.command(epilog=OTHER_PLACES)
@with_settings
def run(
    repo: Repo,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="show what would be sent to the model and what it could cost; send nothing"),
    ] = False,
    write: Annotated[bool, typer.Option("--apply", help="write a confirmed patch into your files")] = False,
    json: Json = False,
    **given: object,
) -> None:
    """Make a function faster, verified in a sandbox, and keep the patch."""
    from optagent.cli import verbs

    if dry_run:
        _leave(lambda: verbs.dry_run(Path(repo), given, json), "run" if json else "")
    _leave(lambda: verbs.run(Path(repo), given, json, write), "run" if json else "")


@app.command(epilog=ORDER)
@with_settings
def config(
    repo: Repo = ".",
    origin: Annotated[bool, typer.Option("--origin", help="tell where each value came from")] = False,
    json: Json = False,
    **given: object,
) -> None:
    """Print the settings that a run with these flags would have."""
    from optagent.cli.show_config import config as show_config

    _leave(lambda: show_config(Path(repo), given, origin, json))


@app.command(epilog=OTHER_PLACES)
@with_settings
def hotspots(
    repo: Repo,
    command: Annotated[
        str | None, typer.Option("--command", help="a Python command to look at, in place of the tests")
    ] = None,
    json: Json = False,
    **given: object,
) -> None:
    """Show in which functions the time goes."""
    from optagent.cli.run.hotspots import hotspots as look

    _leave(lambda: look(Path(repo), given, command, json), "hotspots" if json else "")


@app.command(epilog=OTHER_PLACES)
@with_settings
def profile(
    repo: Repo,
    profiler: Annotated[
        list[str] | None,
        typer.Option(
            "--profiler", metavar="NAME", help="look with this one only; may repeat (default: the quick ones)"
        ),
    ] = None,
    json: Json = False,
    **given: object,
) -> None:
    """Show where the time and the memory of a function go, as facts with units."""
    from optagent.cli.profile import profile as look

    _leave(lambda: look(Path(repo), given, profiler or [], json), "profile" if json else "")


@app.command(epilog=OTHER_PLACES)
@with_settings
def verify(
    repo: Repo,
    patch: Annotated[Path | None, typer.Option("--patch", help="a unified diff against the files as they are")] = None,
    ref: Annotated[str | None, typer.Option("--ref", help="a revision: what changes from HEAD to it is judged")] = None,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="plant cheats in the function instead, and see that they lose")
    ] = False,
    max_slowdown: MaxSlowdown = "5%",
    json: Json = False,
    **given: object,
) -> None:
    """Judge a patch that somebody else wrote: is it the same, and how fast."""
    from optagent.cli.verify import Change
    from optagent.cli.verify import verify as judge

    _leave(lambda: judge(Path(repo), given, Change(patch, ref, selftest), max_slowdown, json), "verify" if json else "")


@app.command(epilog=OTHER_PLACES)
@with_settings
def compare(
    repo: Annotated[str, typer.Argument(metavar="REPO|OLD", help="the project's folder, or the old one of two files")],
    new: Annotated[Path | None, typer.Argument(metavar="[NEW]", help="the new one of two files")] = None,
    base: Annotated[str | None, typer.Option("--base", help="the revision to compare with")] = None,
    head: Annotated[str | None, typer.Option("--head", help="the revision to judge")] = None,
    max_slowdown: MaxSlowdown = "5%",
    json: Json = False,
    **given: object,
) -> None:
    """Judge one revision, or one file, against another: is it the same, and how fast."""
    from optagent.cli.compare import Wanted
    from optagent.cli.compare import compare as judge

    _leave(lambda: judge(Path(repo), given, Wanted(new, base, head, max_slowdown), json), "compare" if json else "")


@app.command()
def resume(repo: Repo, run: Run = "", state: State = None, json: Json = False) -> None:
    """Go on with a run that was interrupted."""
    from optagent.cli import verbs

    _leave(lambda: verbs.resume(Path(repo), run, state, json), "resume" if json else "")


@app.command()
def replay(repo: Repo, run: Run = "", state: State = None, json: Json = False) -> None:
    """Do a run again with the replies that were bought for it, without a network."""
    from optagent.cli import verbs

    _leave(lambda: verbs.replay_run(Path(repo), run, state, json), "replay" if json else "")


@app.command()
def show(repo: Repo, run: Run = "", state: State = None, json: Json = False) -> None:
    """Show what a run found."""
    from optagent.cli import verbs

    _leave(lambda: verbs.show(Path(repo), run, state, json), "show" if json else "")


@app.command()
def runs(repo: Repo, state: State = None, json: Json = False) -> None:
    """List the runs of a repository, newest first."""
    from optagent.cli import verbs

    _leave(lambda: verbs.runs(Path(repo), state, json), "runs" if json else "")


@app.command()
def apply(
    repo: Repo,
    run: Run = "",
    branch: Annotated[
        str | None, typer.Option("--branch", help="commit it on this new branch instead; your files stay as they are")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="take the patch out of your files again")] = False,
    state: State = None,
    json: Json = False,
) -> None:
    """Write the confirmed patch of a run into your files, or take it out again."""
    from optagent.cli import verbs

    _leave(lambda: verbs.apply(Path(repo), run, branch, undo, state, json), "apply" if json else "")


@app.command()
def export(
    repo: Annotated[str, typer.Argument(metavar="[REPO]", help="the project's folder, or a run of this one")] = ".",
    run: Run = "",
    pyperf: Annotated[Path | None, typer.Option("--pyperf", help="the new file, in pyperf's JSON")] = None,
    side: Annotated[str | None, typer.Option("--side", help="only the old or the new one, to compare files")] = None,
    state: State = None,
) -> None:
    """Write the times of a run's launches into a file that pyperf's tools read."""
    from optagent.cli import verbs
    from optagent.errors import BadSetting

    if pyperf is None:
        raise BadSetting("there has to be a file to write", "Give `--pyperf FILE`.")
    file = pyperf
    _leave(lambda: verbs.export(Path(repo), run, file, side, state))


@app.command()
def doctor(
    python: Annotated[str | None, typer.Option("--python", help="interpreter or environment to look at")] = None,
    json: Json = False,
) -> None:
    """Tell what works on this machine, and which Python would run the project in this folder."""
    from optagent.cli.doctor import doctor as look

    _leave(lambda: look(python, json))


@app.command()
def schema() -> None:
    """Print the JSON schema of what run, verify, resume, replay, show and apply print with `--json`."""
    from optagent.cli import verbs

    _leave(lambda: verbs.schema())


def _leave(verb: Callable[[], int], documented: str = "") -> NoReturn:
    """Ends with the verb's exit code; Ctrl-C or SIGTERM ends it where it is. That, or a fault, becomes the document of
    the verb that is named in `documented`, if one is."""
    try:
        with shortages():
            code = verb()
    except OptagentError as fault:
        if not documented:
            raise
        from optagent.cli.endings import failed

        code = failed(documented, "", fault, json=True)
    except KeyboardInterrupt:
        from optagent.cli.interruption import interrupted

        code = interrupted(documented, "", (), (), None, json=bool(documented))
    raise typer.Exit(code)


def main() -> NoReturn:
    """The console script: every fault of ours becomes one sentence and its exit code. Who asks it to end (SIGTERM,
    SIGHUP) gets what Ctrl-C gets."""
    for asked in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(asked) is not signal.SIG_IGN:  # as `nohup` wants it
            signal.signal(asked, signal.default_int_handler)
    if isinstance(sys.stdout, TextIOWrapper):  # what its encoding lacks must not take a finished run with it
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="optagent")  # also where it was started as `python -m optagent`
    except OptagentError as fault:
        _tell(fault)
    except Exception as crash:
        _crashed(crash)
    sys.exit(0)


def _crashed(crash: Exception) -> NoReturn:
    """A bug of ours: the traceback goes into a file that the user can send."""
    import tempfile
    import traceback

    from optagent.report.text import safe

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="optagent-crash-", suffix=".txt", delete=False
    ) as file:
        file.write(f"optagent {__version__}, Python {sys.version}\n")
        traceback.print_exception(crash, file=file)
    print(safe(f"optagent: this is a bug in optagent: {type(crash).__name__}: {crash}"), file=sys.stderr)
    print(f"Please report it with {file.name}. A run that had begun can be resumed.", file=sys.stderr)
    sys.exit(codes.CRASH)


def _tell(fault: OptagentError) -> NoReturn:
    """The sentence may hold names of files and words of the project's tests."""
    from optagent.report.text import safe

    print(safe(f"optagent: {fault.message}"), file=sys.stderr)
    if fault.hint:
        print(safe(fault.hint), file=sys.stderr)
    sys.exit(fault.exit_code)
