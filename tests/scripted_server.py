"""An OpenAI-compatible server on 127.0.0.1 that answers from a script, wrongly where the script says so.

In a test:      with ScriptedServer(["first", rate_limited("1"), Answer(how="hang")]) as server: ... server.base ...
As a process:   python tests/scripted_server.py --script FILE.json [--port 0] [--log FILE]
                prints its port; the file holds a list of texts and of objects with the fields of an Answer;
                each request is appended to the log as a line of JSON.

An answer is served once. An answer with `when` waits for a request that holds that text. When the script is over,
the answer is a 400 that says so (`overrun` counts them), or the last answer again with `repeat`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from scripted_answers import Answer, answer_of, events, payload, refused

Entry = str | dict[str, Any] | Answer
OVER = refused(400, "the script of the scripted server is over", "script_over")
DRIBBLE_S = 0.1


@dataclass(frozen=True)
class Seen:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at_s: float

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class ScriptedServer:
    """A context manager; `base` is the address to give to a client, `seen` every request for a completion so far."""

    def __init__(
        self,
        script: Sequence[Entry | Callable[[Seen], Entry]],
        port: int = 0,
        repeat: bool = False,
        log: Path | None = None,
    ) -> None:
        self.seen: list[Seen] = []
        self.overrun = 0
        self.stopping = threading.Event()
        self._script = list(script)
        self._repeat = repeat
        self._log = log
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.scripted = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()  # lets go of those that hang
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_answer(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            if self._log:
                with self._log.open("a") as log:
                    log.write(json.dumps(asdict(seen)) + "\n")
            entry = self._take(json.dumps(seen.body, ensure_ascii=False))
        return answer_of(entry(seen) if callable(entry) else entry)

    def _take(self, body: str) -> Entry | Callable[[Seen], Entry]:
        for number, entry in enumerate(self._script):
            if callable(entry) or answer_of(entry).when in body:
                return entry if self._repeat and len(self._script) == 1 else self._script.pop(number)
        self.overrun += 1
        return OVER


class _Http(ThreadingHTTPServer):
    scripted: ScriptedServer
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # one request a connection: clients that are never closed keep no socket open
    server: _Http

    def do_GET(self) -> None:
        models = {"object": "list", "data": [{"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}]}
        self._send(Answer(), json.dumps(models).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.path, headers, body, time.time())
        answer = self.server.scripted.next_answer(seen)
        self.server.scripted.stopping.wait(answer.delay_s)
        model = str(body.get("model", "scripted"))  # some providers' requests name it in the path
        with contextlib.suppress(ConnectionError):  # the client may have given up
            if body.get("stream") and answer.status == 200:
                self._stream(answer, events(answer, model, bool(body.get("stream_options"))))
            else:
                self._send(answer, payload(answer, model, seen.key))

    def _send(self, answer: Answer, body: bytes) -> None:
        if answer.how == "hang":
            self._leave_open()
        elif answer.how == "reset":
            self._reset()
        else:
            whole = body if answer.how != "half_json" else body[: len(body) // 2]
            self._begin(answer, {"Content-Type": "application/json", "Content-Length": str(len(whole))})
            self._body(answer.how, whole)

    def _body(self, how: str, body: bytes) -> None:
        half = body[: len(body) // 2]
        if how == "reset_after_headers":
            self.wfile.write(half)
            self._reset()
        elif how == "cut":
            self.wfile.write(half)
        elif how == "dribble":
            self._dribble(body)
        else:
            self.wfile.write(body)

    def _stream(self, answer: Answer, chunks: list[bytes]) -> None:
        if answer.how == "hang":
            self._leave_open()
        elif answer.how == "reset":
            self._reset()
        else:
            self._begin(answer, {"Content-Type": "text/event-stream"})
            self._body(answer.how, b"".join(chunks))

    def _begin(self, answer: Answer, headers: dict[str, str]) -> None:
        self.send_response(answer.status)
        for name, value in (headers | {"Connection": "close"} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _dribble(self, body: bytes) -> None:
        for position in range(len(body) - 1):
            if self.server.scripted.stopping.wait(DRIBBLE_S):
                break
            self.wfile.write(body[position : position + 1])

    def _leave_open(self) -> None:
        self.server.scripted.stopping.wait()
        self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the requests are in `seen`."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--repeat", action="store_true")
    given = parser.parse_args()
    script = json.loads(given.script.read_text())
    with ScriptedServer(script, given.port, given.repeat, given.log) as server, contextlib.suppress(KeyboardInterrupt):
        print(server.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
