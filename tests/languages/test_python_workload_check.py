"""A workload file is looked at before anything is written or run."""

from __future__ import annotations

import pytest

from optagent.errors import BadWorkload
from optagent.languages.python.workload_file import check_file


@pytest.mark.parametrize(
    "text",
    [
        "def make_inputs(size, rng):\n    return []\n",
        "if True:\n    def make_inputs(size, rng):\n        return []\n",
        "\ufeffdef make_inputs(size, rng):\r\n    return []\r\n",
        "raise SystemExit\ndef make_inputs(size, rng): pass\n",
    ],
)
def test_a_file_that_defines_make_inputs_is_enough_and_is_not_run(tmp_path, text):
    file = tmp_path / "w.py"
    file.write_bytes(text.encode())
    check_file(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "defines no make_inputs"),
        (b"class A:\n    def make_inputs(self): pass\n", "defines no make_inputs"),
        (b"make_inputs = 3\n", "defines no make_inputs"),
        (b"def make_inputs(:\n", r"w\.py:1"),
        (b"# coding: no-such-code\n", "cannot be read as source"),
        (b"x = '\xff'\n", "cannot be read as source"),
        (b"x = '\0'\n", "cannot be used"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path, content, said):
    file = tmp_path / "w.py"
    file.write_bytes(content)
    with pytest.raises(BadWorkload, match=said):
        check_file(file)


def test_a_folder_or_nothing_is_no_workload_file(tmp_path):
    for path in (tmp_path, tmp_path / "none.py"):
        with pytest.raises(BadWorkload, match="there is no workload file"):
            check_file(path)
