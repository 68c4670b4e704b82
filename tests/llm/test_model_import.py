"""litellm comes in at the first call and not before, and talks to nobody but our server."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from scripted_server import ScriptedServer

CODE = """
import sys
told = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        told.append(str(arguments[-1] if event == "socket.connect" else arguments[0]))
sys.addaudithook(watch)

from optagent.llm import base, litellm_model, pricing, route
model = litellm_model.LitellmModel(route.Access(api_base=sys.argv[1]))
request = base.Request("gpt-4o-mini", (base.Message("user", "hello"),))
pricing.worst_case(request, pricing.price_of(request.model))
assert "litellm" not in sys.modules

assert model.complete(request, 60).text == "hello yourself"
assert "litellm" in sys.modules
print(*sorted({one for one in told if "127.0.0.1" not in one}))
"""


@pytest.mark.slow
def test_litellm_is_imported_by_the_first_call_and_connects_to_nobody_else(tmp_path):
    (tmp_path / "first_call.py").write_text(CODE)
    with ScriptedServer(["hello yourself"]) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning", "first_call.py", server.base],
            cwd=tmp_path,
            env=os.environ | {"LITELLM_LOG": "DEBUG"},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
    assert len(server.seen) == 1
