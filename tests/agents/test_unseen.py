"""An edit never changes what its author could not see."""

import pytest

from optagent.agents.secrets import REMOVED
from optagent.agents.unseen import lost

KEY = 'def f(x):\n    if not x:\n        login(token="a1b2c3d4e5f6a7b8")\n    return sum(x)\n'
BLANK = 'def f(x):\n    return x.strip("\u200b") + {tail}  # \u200b\n'


def test_a_key_that_was_removed_from_what_is_shown_is_never_written_back_as_such():
    assert REMOVED in (lost(KEY, KEY.replace("a1b2c3d4e5f6a7b8", REMOVED)) or "")
    assert lost(KEY, KEY.replace("sum(x)", "fsum(x)")) is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_invisible_character_in_a_text_must_stay(end):
    source = BLANK.replace("\n", end)
    assert "invisible" in (lost(source, source.replace("\u200b", "")) or "")
    assert lost(source, source.replace("{tail}", "x").replace("  # \u200b", "")) is None


def test_files_without_anything_hidden_are_not_even_read():
    assert lost("no python (", "at all") is None
