"""Notifications: what is sent, that nothing about them ends or delays a training, and that no secret is told."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import Fault, UserError
from danlu.base.redacted import redacted
from danlu.run.listeners import notify
from danlu.run.listeners.notify import Notifier, Postbox, notifier_of

SECRET = "s3cret-t0ken"
QUICK: dict[str, Any] = {"epochs": 1, "progress": False, "watch": False}


class Hook(ThreadingHTTPServer):
    """A server on this machine alone that keeps what it is sent."""

    daemon_threads = True

    def __init__(self, status: int = 200, seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.seconds = status, seconds
        self.bodies: list[dict[str, Any]] = []
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}?key={SECRET}"


class Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        assert self.headers["Content-Type"].startswith("application/json")
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.over.wait(self.server.seconds)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Hook]]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made: list[Hook] = []
    yield made
    for hook in made:
        hook.over.set()
        hook.shutdown()
        hook.server_close()


def test_a_webhook_is_told_of_the_end_and_the_address_stands_nowhere(hooks: list[Hook], tmp_path: Path) -> None:
    hooks.append(hook := Hook())
    run = danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", notify=hook.url, **QUICK)
    (told,) = hook.bodies
    assert (told["event"], told["state"], told["what"], told["name"]) == ("end", "finished", "run", "run")
    assert told["score"] == run.score and told["steps"] == run.steps
    assert "accuracy" in told["text"]
    written = [path for path in run.folder.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert not any(SECRET.encode() in path.read_bytes() for path in written)


@pytest.mark.every(2)
@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_refuses_is_told_once_and_without_the_address(
    status: int, hooks: list[Hook], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks.append(hook := Hook(status))
    run = danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", notify=hook.url, **QUICK)
    assert run.finished
    said = capsys.readouterr().err
    assert said.count("127.0.0.1") == 1 and f"HTTP {status}" in said and SECRET not in said


def test_a_server_that_is_not_there_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = Hook()
    url = hook.url
    hook.shutdown()
    hook.server_close()
    assert danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", notify=url, **QUICK).finished
    said = capsys.readouterr().err
    assert said.count("was not notified") == 1 and SECRET not in said


def test_a_slow_server_holds_nothing_up_but_the_end_and_that_not_for_long(
    hooks: list[Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "WEB_SECONDS", 0.5)
    monkeypatch.setattr(notify, "_GRACE", 0.5)
    hooks.append(hook := Hook(seconds=60))
    told: list[Fault] = []
    box = Postbox(Notifier(url=hook.url), told.append)
    begin = time.monotonic()
    for number in range(3):
        box.put(message(str(number)))
    assert time.monotonic() - begin < 0.4
    box.close()
    assert time.monotonic() - begin < 30
    assert len(told) == 1 and SECRET not in str(told[0])


def message(text: str) -> dict[str, Any]:
    return {"event": "end", "state": "finished", "what": "run", "name": "run", "folder": "runs/run", "text": text}


def script(path: Path, code: str) -> str:
    path.write_text(code, encoding="utf-8")
    return f'"{sys.executable}" "{path}"'


def test_a_command_gets_the_message_and_variables_and_no_shell(tmp_path: Path) -> None:
    code = """
import json, os, pathlib, sys
told = {name: value for name, value in os.environ.items() if name.startswith("DANLU_")}
place = pathlib.Path(__file__).with_name("told.json")
place.write_text(json.dumps([json.load(sys.stdin), told, sys.argv[1:]]))
"""
    command = script(tmp_path / "hook.py", code) + " '$HOME; touch gone' '*'"
    danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", notify=command, **QUICK)
    body, variables, words = json.loads((tmp_path / "told.json").read_text())
    assert words == ["$HOME; touch gone", "*"]
    assert body["event"] == variables["DANLU_EVENT"] == "end"
    assert variables["DANLU_FOLDER"] == str(tmp_path / "run") and variables["DANLU_TEXT"] == body["text"]


@pytest.mark.parametrize(
    ("code", "words"), [("raise SystemExit(3)", "exit code 3"), ("import time; time.sleep(60)", "0.5")]
)
def test_a_command_that_fails_or_hangs_ends_nothing(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sleep" in code:
        monkeypatch.setattr(notify, "COMMAND_SECONDS", 0.5)
    told: list[Fault] = []
    notifier = notifier_of(script(tmp_path / "hook.py", code) + f" {SECRET}")
    assert notifier is not None
    box = Postbox(notifier, told.append)
    box.put(message("first"))
    box.put(message("second"))
    box.close()
    assert len(told) == 1 and words in str(told[0]) and SECRET not in str(told[0])


def test_a_crash_and_the_first_grave_finding_are_told(hooks: list[Hook], tmp_path: Path) -> None:
    hooks.append(hook := Hook())

    def crash(event: object) -> None:
        if isinstance(event, danlu.EpochDone):
            raise RuntimeError("no answer from https://me:hidden@host.org/x")

    settings: dict[str, Any] = {"epochs": 3, "progress": False, "lr": 1e4, "momentum": 0.0, "hidden": [32]}
    with pytest.raises(RuntimeError, match="no answer"):
        danlu.fit("mlp", "digits", folder=tmp_path / "run", notify=hook.url, listeners=[crash], **settings)
    assert [told["event"] for told in hook.bodies] == ["finding", "crash"]
    finding, crashed = hook.bodies
    assert finding["finding"]["severity"] == "error" and finding["finding"]["title"] in finding["text"]
    assert "https://host.org/…" in crashed["error"] and "hidden" not in json.dumps(crashed)


def test_an_interruption_is_an_end_that_can_go_on_and_a_resume_tells_again(hooks: list[Hook], tmp_path: Path) -> None:
    hooks.append(hook := Hook())

    def interrupt(event: object) -> danlu.Stop | None:
        raise KeyboardInterrupt("by the test")

    with pytest.raises(KeyboardInterrupt, match="by the test"):
        danlu.fit(
            "softmax-regression", "iris", folder=tmp_path / "run", notify=hook.url, listeners=[interrupt], **QUICK
        )
    danlu.resume(tmp_path / "run", notify=hook.url, progress=False)
    assert [(told["event"], told["state"]) for told in hook.bodies] == [("end", "interrupted"), ("end", "finished")]


def test_a_study_tells_its_end_once(hooks: list[Hook], tmp_path: Path) -> None:
    hooks.append(hook := Hook())
    vary = {"lr": [1e-5, 0.1]}
    danlu.compare(
        "softmax-regression",
        "iris",
        vary=vary,
        seeds=2,
        epochs=1,
        folder=tmp_path / "s",
        notify=hook.url,
        progress=False,
    )
    (told,) = hook.bodies
    assert (told["event"], told["what"], told["trainings"]) == ("end", "study", 4)
    assert set(told["best"]["factors"]) == {"optim.lr"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no command"),
        ("  ", "no command"),
        ("'open", "quotation mark"),
        (f"no-such-program-here {SECRET}", "no program no-such-program-here"),
        (f"ftp://host/{SECRET}", "not a valid web address"),
        (f"http:///{SECRET}", "not a valid web address"),
        (f"https://host:99999/{SECRET}", "not a valid web address"),
        (f"https://höst/{SECRET}", "not a valid web address"),
        (3, "type int"),
    ],
)
def test_a_mistake_is_told_before_anything_begins(given: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as caught:
        danlu.fit("softmax-regression", "iris", folder=tmp_path / "run", notify=given, **QUICK)
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("postgresql://u:p@db.org/x?y refused", "postgresql://db.org/… refused"),
        ("at 'http://host/p/q'.", "at 'http://host/…'."),
        ("https://a:b/c@d.org", "https://d.org"),
        ("no address: a/b@c", "no address: a/b@c"),
    ],
)
def test_addresses_lose_their_secrets(words: str, told: str) -> None:
    assert redacted(words) == told
