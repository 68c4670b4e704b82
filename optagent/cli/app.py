"""The verbs. Each reads its flags, calls one function of this floor and prints; heavy parts load inside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from optagent import __version__
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


@app.command()
def run(
    repo: Repo,
    target: Annotated[
        str, typer.Option("--target", help="fn, module:fn, Class.method, path.py::Class.method or path.py:LINE")
    ],
    workload: Annotated[
        str | None, typer.Option("--workload", help="Python file that defines make_inputs(size, rng)")
    ] = None,
    tests: Annotated[str | None, typer.Option("--tests", help="pytest command, when plain `pytest` is not it")] = None,
    python: Annotated[str | None, typer.Option("--python", help="interpreter or environment of the target")] = None,
    speedup: Annotated[
        float | None, typer.Option("--speedup", help="wanted factor; any confirmed gain if not given")
    ] = None,
    max_minutes: Annotated[float, typer.Option("--max-minutes", help="stop after this many minutes")] = 10.0,
    max_trials: Annotated[int, typer.Option("--max-trials", help="stop after this many candidates")] = 30,
    sandbox: Annotated[str, typer.Option("--sandbox", help="auto, bwrap or none (no isolation at all)")] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="same seed, same inputs and orders")] = 0,
    state: State = None,
    json: Json = False,
) -> None:
    """Make a function faster, verified in a sandbox, and keep the patch."""
    from optagent.cli import verbs
    from optagent.cli.settings import RunSettings

    settings = RunSettings(
        repo=str(Path(repo).absolute()),
        target=target,
        python=_absolute(python),
        workload=_absolute(workload),
        tests=tests,
        sandbox=sandbox,
        speedup=speedup,
        minutes=max_minutes,
        trials=max_trials,
        seed=seed,
    )
    _leave(lambda: verbs.run(settings, state, json))


@app.command()
def resume(repo: Repo, run: Run = "", state: State = None, json: Json = False) -> None:
    """Go on with a run that was interrupted."""
    from optagent.cli import verbs

    _leave(lambda: verbs.resume(Path(repo), run, state, json))


@app.command()
def show(repo: Repo, run: Run = "", state: State = None, json: Json = False) -> None:
    """Show what a run found."""
    from optagent.cli import verbs

    _leave(lambda: verbs.show(Path(repo), run, state, json))


@app.command()
def runs(repo: Repo, state: State = None, json: Json = False) -> None:
    """List the runs of a repository, newest first."""
    from optagent.cli import verbs

    _leave(lambda: verbs.runs(Path(repo), state, json))


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

    _leave(lambda: verbs.apply(Path(repo), run, branch, undo, state, json))


@app.command()
def doctor(
    python: Annotated[str | None, typer.Option("--python", help="interpreter or environment to look at")] = None,
    json: Json = False,
) -> None:
    """Tell what works on this machine: Python, git, sandbox."""
    from optagent.cli.doctor import doctor as look

    _leave(lambda: look(python, json))


@app.command()
def schema() -> None:
    """Print the JSON schema of the documents that `--json` prints."""
    from optagent.cli import verbs

    _leave(lambda: verbs.schema())


def _absolute(path: str | None) -> str | None:
    return str(Path(path).absolute()) if path else None


def _leave(verb: Callable[[], int]) -> NoReturn:
    """Ends with the verb's exit code; Ctrl-C ends it where it is, to be resumed."""
    try:
        code = verb()
    except KeyboardInterrupt:
        print("interrupted; go on with `optagent resume`", file=sys.stderr)
        code = codes.INTERRUPTED
    raise typer.Exit(code)


def main() -> NoReturn:
    """The console script: every fault of ours becomes one sentence and its exit code."""
    try:
        app()
    except OptagentError as fault:
        _tell(fault)
    except Exception as crash:
        _crashed(crash)
    sys.exit(0)


def _crashed(crash: Exception) -> NoReturn:
    """A bug of ours: the traceback goes into a file that the user can send."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="optagent-crash-", suffix=".txt", delete=False) as file:
        file.write(f"optagent {__version__}, Python {sys.version}\n")
        traceback.print_exception(crash, file=file)
    print(f"optagent: this is a bug in optagent: {type(crash).__name__}: {crash}", file=sys.stderr)
    print(f"Please report it with {file.name}. A run that had begun can be resumed.", file=sys.stderr)
    sys.exit(codes.CRASH)


def _tell(fault: OptagentError) -> NoReturn:
    print(f"optagent: {fault.message}", file=sys.stderr)
    if fault.hint:
        print(fault.hint, file=sys.stderr)
    sys.exit(fault.exit_code)
