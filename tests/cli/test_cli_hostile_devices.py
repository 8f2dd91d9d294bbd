"""Hostile devices end with an error, in time, and print nothing that a terminal would obey."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runec.container import load_rune
from tests.devices import hostile_peer

BROKEN = dict.fromkeys(hostile_peer.RESULTS, "R0903") | {
    "endless result": "R0903",
    "done lies": "R0903",
    "parts out of order": "R0903",
    "needs a lot": "R0903",
    "needs what is not there": "R0903",
    "needs the end first": "R0903",
    "needs for ever": "R0925",
    "fails with controls": "R0907",
    "fails in an unknown way": "R0903",
    "empty failure": "R0903",
    "restarts": "R0902",
    "hello short": "R0903",
    "hello controls": "R0904",
    "logs": "R0904",
    "hellos": "R0904",
    "other kinds": "R0904",
    "text": "R0904",
    "zeros": "R0904",
}


# Defects of a result of noop (i32[4] as JSON) and their causes.
CAUSES = {
    "not json": "binary data, where JSON is expected",
    "empty": "nothing, where JSON is expected",
    "text before": "JSON with other text: 7 bytes before it",
    "cut short": "JSON that ends after",
    "two lines": "JSON with other text: ",
    "binary": "binary tensors (i32[1]), where JSON is expected",
    "other output": "the output 9, which the rune does not have",
    "other size": "i32[1] for the output 2, where the rune has i32[4]",
    "null": "JSON whose output 2 is neither tensors nor a pin",
}


@contextmanager
def peer(mode: str, rune: Path) -> Iterator[str]:
    digest = (load_rune(rune).digest or b"").hex()
    with subprocess.Popen(
        [sys.executable, hostile_peer.__file__, mode, digest], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.bin"
    path.write_bytes(bytes(16))
    return path


def is_clean(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("mode", BROKEN)
def test_a_run_at_a_hostile_device(
    mode: str, noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    limit = "1" if BROKEN[mode] == "R0904" else "30"
    with peer(mode, noop_rune) as port:
        began = time.monotonic()
        done = runec(
            "run",
            noop_rune,
            "--raw",
            raw,
            "--on",
            f"serial:{port}",
            "--timeout",
            limit,
            "-f",
            "json",
        )
    assert time.monotonic() - began < 40
    assert done.code == 3, done
    assert done.stdout == ""
    last = json.loads(done.stderr.strip().splitlines()[-1])
    assert last["code"] == BROKEN[mode], last
    assert CAUSES.get(mode, "") in last["message"]
    if mode in hostile_peer.RESULTS:
        assert " returned " in last["message"]
        assert "runec flash X.rune --board B" in last["hint"]
    assert is_clean(done.stderr)


@pytest.mark.parametrize(
    "mode", ["not json", "empty", "huge", "deep", "null", "fails with controls"]
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_monitor_of_a_hostile_device(
    mode: str, form: str, noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    for named in ((noop_rune, "--raw", raw), ()):
        with peer(mode, noop_rune) as port:
            done = runec("monitor", *named, "--port", port, "--count", "1", "-f", form)
        assert done.code in (0, 3), done  # a run that fails is reported, and no end of it
        assert BROKEN[mode] in done.stdout + done.stderr
        assert is_clean(done.stdout + done.stderr)


@pytest.mark.parametrize("mode", ["hello controls", "fails with controls", "logs"])
@pytest.mark.parametrize("verb", ["run", "monitor"])
def test_a_device_cannot_forge_a_line(
    mode: str, verb: str, noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    with peer(mode, noop_rune) as port:
        on = ("--on", f"serial:{port}") if verb == "run" else ("--port", port, "--count", "1")
        done = runec(verb, noop_rune, "--raw", raw, *on, "--timeout", "1", "-f", "text")
    printed = (done.stdout + done.stderr).splitlines()
    is_shown = verb == "monitor" or mode == "fails with controls"
    assert any("R9999" in line for line in printed) == is_shown
    assert not [line for line in printed if line.startswith("error[R9999]")]


@pytest.mark.parametrize("mode", ["not json", "empty"])
def test_hosts_and_hostile_devices_compared(
    mode: str, noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    with peer(mode, noop_rune) as port:
        done = runec("run", noop_rune, "--raw", raw, "--on", "host", "--on", f"serial:{port}")
    assert done.code == 3, done
    assert "R0903" in done.stdout + done.stderr
    assert is_clean(done.stdout + done.stderr)


def test_a_device_that_sends_no_hello_does_not_answer(
    noop_rune: Path, raw: Path, runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.devices.monitor.START_TIMEOUT_S", 2)
    with peer("zeros without hello", noop_rune) as port:
        done = runec("monitor", noop_rune, "--raw", raw, "--port", port, "--count", "1")
    assert done.code == 3
    assert f"serial:{port} does not answer, after 2 s, although it sends bytes" in done.stderr


def test_a_monitor_begins_anew_with_a_device_that_does_not_end_a_run(
    noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    with peer("silent", noop_rune) as port:
        words = ("--port", port, "--count", "2", "--every", "0", "--timeout", "0.5", "-f", "json")
        done = runec("monitor", noop_rune, "--raw", raw, *words)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    lost = [event["code"] for event in events if event["event"] == "lost"]
    assert lost == ["R0904", "R0904"]
    assert [event["event"] for event in events].count("connected") == 2
    assert done.code in (0, 3)


def test_a_monitor_waits_for_reconnection_only_while_runs_are_left(
    noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    with peer("silent", noop_rune) as port:
        words = ("--port", port, "--count", "2", "--every", "0", "--timeout", "0.5")
        done = runec("monitor", noop_rune, "--raw", raw, *words)
    printed = done.stdout + done.stderr
    assert (printed.count("R0904"), printed.count("waiting for reconnection")) == (2, 1)


def test_a_monitor_gives_up_a_run_after_its_time_and_counts_it(
    noop_rune: Path, raw: Path, runec: Callable[..., Any]
) -> None:
    with peer("logs", noop_rune) as port:
        began = time.monotonic()
        done = runec(
            "monitor",
            noop_rune,
            "--raw",
            raw,
            "--port",
            port,
            "--count",
            "1",
            "--timeout",
            "1",
            "-q",
        )
    assert time.monotonic() - began < 20
    assert "R0904" in done.stdout + done.stderr
