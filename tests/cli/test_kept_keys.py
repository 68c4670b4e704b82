"""No key of a user's is written down, wherever he typed it."""

import pytest

from optagent.cli.run import models
from optagent.cli.settings.run_settings import RunSettings
from optagent.errors import BadSetting

KEY = "sk-test-4f9a8b7c6d5e4f3a2b1c"


@pytest.mark.parametrize(
    "base",
    [
        f"https://me:{KEY}@h/v1",
        f"https://h/v1?key={KEY}",
        "https://h/v1?code=abc",
        f"https://h/{KEY}/v1",
        "https://h/own-word-9/v1",
    ],
)
def test_an_address_with_a_key_in_it_is_refused_without_repeating_it(base, monkeypatch):
    monkeypatch.setenv("OUR_GATEWAY_TOKEN", "own-word-9")
    with pytest.raises(BadSetting) as refused:
        models.access(RunSettings("/r", "f", model="m", api_base=base))
    assert KEY not in refused.value.message + refused.value.hint


def test_the_record_of_the_settings_holds_no_key(monkeypatch):
    monkeypatch.setenv("OUR_GATEWAY_TOKEN", "own-word-9")
    settings = RunSettings(
        "/r", "f", hint=(f"my key is {KEY}", "or own-word-9"), api_base=f"https://h/{KEY}", key_command=f"echo {KEY}"
    )
    kept = str(settings.as_json())
    assert KEY not in kept
    assert "own-word-9" not in kept
    assert RunSettings.from_json(settings.as_json()).hint[0].startswith("my key is [")
