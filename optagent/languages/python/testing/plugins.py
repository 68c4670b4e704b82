"""Which plugins and modules a project's tests ask for that its environment lacks, read from what pytest said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """`asked` is what was not understood: an option, a setting, a fixture, a module. `package` is what would bring it.

    `package` is empty for what we know no package for. `fatal` when pytest runs no test because of it.
    """

    asked: str
    package: str
    fatal: bool

    def __str__(self) -> str:
        return f"{self.package or 'an unknown plugin'} ({self.asked})"


# The beginning of an option: the plugin that knows it. Taken from the plugins' own `addoption` calls.
OPTIONS = {
    "--anyio": "anyio",
    "--asyncio": "pytest-asyncio",
    "--benchmark": "pytest-benchmark",
    "--black": "pytest-black",
    "--codspeed": "pytest-codspeed",
    "--count": "pytest-repeat",
    "--cov": "pytest-cov",
    "--create-db": "pytest-django",
    "--dist": "pytest-xdist",
    "--doctest-plus": "pytest-doctestplus",
    "--ds": "pytest-django",
    "--flake8": "pytest-flake8",
    "--forked": "pytest-forked",
    "--html": "pytest-html",
    "--hypothesis": "hypothesis",
    "--json-report": "pytest-json-report",
    "--maxprocesses": "pytest-xdist",
    "--memray": "pytest-memray",
    "--mpl": "pytest-mpl",
    "--mypy": "pytest-mypy",
    "--nbval": "nbval",
    "--no-cov": "pytest-cov",
    "--no-migrations": "pytest-django",
    "--numprocesses": "pytest-xdist",
    "--random-order": "pytest-random-order",
    "--randomly": "pytest-randomly",
    "--remote-data": "pytest-remotedata",
    "--reruns": "pytest-rerunfailures",
    "--reuse-db": "pytest-django",
    "--ruff": "pytest-ruff",
    "--self-contained-html": "pytest-html",
    "--session-timeout": "pytest-timeout",
    "--snapshot": "syrupy",
    "--socket": "pytest-socket",
    "--disable-socket": "pytest-socket",
    "--allow-hosts": "pytest-socket",
    "--timeout": "pytest-timeout",
    "-n": "pytest-xdist",
}
SETTINGS = {
    "asyncio": "pytest-asyncio",
    "anyio": "anyio",
    "DJANGO": "pytest-django",
    "django": "pytest-django",
    "doctest_plus": "pytest-doctestplus",
    "env": "pytest-env",
    "env_files": "pytest-dotenv",
    "flake8": "pytest-flake8",
    "mock_": "pytest-mock",
    "mpl": "pytest-mpl",
    "qt_": "pytest-qt",
    "remote_data": "pytest-remotedata",
    "timeout": "pytest-timeout",
    "trio_mode": "pytest-trio",
    "xvfb": "pytest-xvfb",
}
FIXTURES = {
    "anyio_backend": "anyio",
    "benchmark": "pytest-benchmark",
    "celery_app": "pytest-celery",
    "client": "pytest-django",
    "datadir": "pytest-datadir",
    "db": "pytest-django",
    "event_loop": "pytest-asyncio",
    "file_regression": "pytest-regressions",
    "data_regression": "pytest-regressions",
    "freezer": "pytest-freezer",
    "fs": "pyfakefs",
    "httpserver": "pytest-httpserver",
    "httpx_mock": "pytest-httpx",
    "mocker": "pytest-mock",
    "qtbot": "pytest-qt",
    "requests_mock": "requests-mock",
    "snapshot": "syrupy",
    "subtests": "pytest-subtests",
}
MODULES = {
    "attr": "attrs",
    "dateutil": "python-dateutil",
    "pytest_cov": "pytest-cov",
    "xdist": "pytest-xdist",
    "yaml": "PyYAML",
}


def missing(output: str) -> tuple[Missing, ...]:
    """Everything the output complains about, once, in the order in which pytest says it."""
    found = (each for pattern, read in SAYINGS for match in pattern.finditer(output) for each in read(match[1]))
    return tuple(dict.fromkeys(found))


def _arguments(said: str) -> Iterator[Missing]:
    for option in re.findall(r"(?:^|\s)(-[^\s]+)", said):
        yield Missing(option, _longest(OPTIONS, option), True)


def _required(said: str) -> Iterator[Missing]:
    for name in filter(None, map(str.strip, said.split(","))):
        yield Missing(f"required_plugins: {name}", re.split(r"[<>=!~\[; ]", name)[0], True)


def _plugin(name: str) -> Iterator[Missing]:
    yield Missing(f"plugin {name}", _package_of(name), True)


def _setting(name: str) -> Iterator[Missing]:
    """Not fatal: pytest warns, and only `--strict-config` or warnings as errors make it stop there."""
    yield Missing(f"setting {name}", _longest(SETTINGS, name), False)


def _fixture(name: str) -> Iterator[Missing]:
    """A fixture of a name we do not know may as well be the project's own mistake: then it is none of a plugin's."""
    if name in FIXTURES:
        yield Missing(f"fixture {name}", FIXTURES[name], False)


def _coroutine(said: str) -> Iterator[Missing]:
    yield Missing(said, "pytest-asyncio", False)


def _module(name: str) -> Iterator[Missing]:
    yield Missing(f"import {name}", _package_of(name), False)


def _package_of(module: str) -> str:
    """The usual name of the package that holds a module; most are called alike."""
    top = module.partition(".")[0]
    return MODULES.get(top, top.replace("_", "-"))


def _longest(known: dict[str, str], word: str) -> str:
    fits = [name for name in known if word.startswith(name)]
    return known[max(fits, key=len)] if fits else ""


SAYINGS: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Missing]]], ...] = (
    (re.compile(r"error: unrecognized arguments: (.*)"), _arguments),
    (re.compile(r"Missing required plugins: (.*)"), _required),
    (re.compile(r'Error importing plugin "([\w.]+)"'), _plugin),
    (re.compile(r"Unknown config option: (\w+)"), _setting),
    (re.compile(r"fixture '(\w+)' not found"), _fixture),
    (re.compile(r"(async def functions) are not natively supported"), _coroutine),
    (re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'"), _module),
)
