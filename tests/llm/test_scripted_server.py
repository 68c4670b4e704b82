"""The scripted server speaks the wire format it claims to speak, in a test and as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from scripted_answers import Answer, Tokens, refused
from scripted_server import ScriptedServer

SERVER = Path(__file__).parents[1] / "scripted_server.py"
QUESTION = {"model": "m", "messages": [{"role": "user", "content": "first file"}]}


def post(base: str, **fields: object) -> bytes:
    body = json.dumps(QUESTION | fields).encode()
    request = urllib.request.Request(f"{base}/chat/completions", body, {"Authorization": "Bearer k"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def text_of(body: bytes) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


def test_an_answer_has_the_form_of_a_chat_completion_and_the_request_is_kept():
    with ScriptedServer([Answer("hi", tokens=Tokens(10, 5, 4, 2))]) as server:
        document = json.loads(post(server.base))
    assert document["object"] == "chat.completion"
    assert document["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert document["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}
    assert server.seen[0].body == QUESTION
    assert server.seen[0].key == "k"


def test_a_stream_ends_with_usage_and_done():
    with ScriptedServer([Answer("one\ntwo\n", tokens=Tokens(3, 4))]) as server:
        lines = post(server.base, stream=True, stream_options={"include_usage": True}).decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks[:-1]) == "one\ntwo\n"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 7


def test_an_answer_waits_for_the_request_it_is_meant_for():
    with ScriptedServer([Answer("for the second", when="second file"), "for any"]) as server:
        assert text_of(post(server.base)) == "for any"
        assert text_of(post(server.base, messages=[{"role": "user", "content": "second file"}])) == "for the second"


def test_an_answer_can_depend_on_the_request():
    with ScriptedServer([lambda seen: seen.body["messages"][0]["content"].upper()]) as server:
        assert text_of(post(server.base)) == "FIRST FILE"


def test_a_script_that_is_over_says_so():
    with ScriptedServer([]) as server, pytest.raises(urllib.error.HTTPError) as caught:
        post(server.base)
    with caught.value:
        assert caught.value.code == 400
        assert b"script_over" in caught.value.read()
    assert server.overrun == 1


def test_a_fault_echoes_the_key_where_the_script_says():
    with ScriptedServer([refused(401, "bad key {key}")]) as server, pytest.raises(urllib.error.HTTPError) as caught:
        post(server.base)
    with caught.value:
        assert json.loads(caught.value.read())["error"]["message"] == "bad key k"


def test_as_a_process_it_prints_its_port_serves_a_script_file_and_writes_a_log(tmp_path):
    script, log = tmp_path / "script.json", tmp_path / "log"
    script.write_text(json.dumps(["one", {"text": "two", "tokens": {"prompt": 9, "completion": 1}}]))
    command = [sys.executable, str(SERVER), "--script", str(script), "--port", "0", "--log", str(log), "--repeat"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        base = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        try:
            assert [text_of(post(base)) for _ in range(3)] == ["one", "two", "two"]
            with urllib.request.urlopen(f"{base}/models", timeout=10) as models:
                assert json.load(models)["object"] == "list"
        finally:
            server.terminate()
    assert [json.loads(line)["body"] for line in log.read_text().splitlines()] == [QUESTION] * 3
