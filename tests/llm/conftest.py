"""No key of whoever runs these tests is used, and no proxy stands between us and the scripted server."""

from __future__ import annotations

import os

import pytest
from asking import KEY

from optagent.llm import door


@pytest.fixture(autouse=True)
def only_our_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_BASE", "_BASE_URL")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(scope="session")
def litellm():
    """litellm, imported once: no deadline of a test has to pay for that."""
    return door.load()
