"""A command line as typed, in this process: its exit code and what it wrote. A fresh process for each costs half a
second of nothing but imports; that the program also starts as one of its own is shown elsewhere."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout

import pytest

from optagent.cli.app import main


def typed(words: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    argv = ["optagent", *words]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ.keys() - env.keys():
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
    return subprocess.CompletedProcess(argv, ended.value.code, *(one.buffer.getvalue().decode() for one in (out, err)))
