"""`telerhythm demo` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telerhythm.beds import choose
from telerhythm.demo import BROKER_PORT, DASHBOARD_PORT, Demo
from telerhythm.parts import HOST, PartDied

pytestmark = pytest.mark.e2e

FIGURES = {
    "frames_published",
    "frames_received",
    "frames_lost",
    "beats",
    "alarms",
    "latency_p50_ms",
    "latency_p99_ms",
}


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command, in a process group of its own as a terminal gives it."""
    return subprocess.Popen(
        [sys.executable, "-m", "telerhythm", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if k != "TELERHYTHM_DATA"},
        text=True,
        start_new_session=True,
    )


def children_of(pid: int) -> list[int]:
    """Processes that `pid` has started and that are still there."""
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_for_some_seconds_it_ends_by_itself_with_its_figures() -> None:
    taken = []
    for port in (BROKER_PORT, DASHBOARD_PORT):  # somebody else's: the demo takes the next ones
        other = socket.socket()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.append(other)
        if other.connect_ex((HOST, port)) == 0:
            continue
        other.close()
        other = taken[-1] = socket.socket()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, port))
        other.listen()
    process = start("--for", "8", "--beds", "3")
    out, told = process.communicate(timeout=120)
    for other in taken:
        other.close()
    assert process.returncode == 0, told
    figures = json.loads(out)
    assert set(figures) == FIGURES
    assert figures["frames_lost"] == 0
    assert figures["frames_received"] >= figures["frames_published"] >= 3 * 4 * 7
    assert figures["beats"] > 3
    assert 0 < figures["latency_p50_ms"] <= figures["latency_p99_ms"]
    assert "http://127.0.0.1:" in told
    assert f"http://127.0.0.1:{DASHBOARD_PORT}\n" not in told


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,), (signal.SIGKILL,)],
    ids=["Ctrl-C twice", "terminated", "killed"],
)
def test_however_it_ends_no_part_is_left_behind(signals: tuple[signal.Signals, ...]) -> None:
    process = start("--beds", "2")
    assert process.stderr is not None
    assert "http://" in process.stderr.readline()
    parts = children_of(process.pid)
    assert len(parts) >= 3
    for number in signals:
        process.send_signal(number)
        time.sleep(0.1)
    process.wait(60)
    assert process.returncode == (-signal.SIGKILL if signal.SIGKILL in signals else 0)
    deadline = time.monotonic() + 20
    while any(map(is_alive, parts)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, parts))


@pytest.mark.parametrize("victim", ["broker", "serve", "dashboard"])
def test_a_part_that_dies_ends_the_demo_with_its_name(victim: str) -> None:
    with pytest.raises(PartDied, match=victim), Demo(choose(n_beds=1)) as running:
        part = next(p for p in running.parts if p.name == victim)
        part.process.kill()
        running.watch(for_s=20)


def test_records_that_are_not_there_are_told() -> None:
    process = start("--records", "/nowhere/mitdb", "--for", "1")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "/nowhere/mitdb" in told
    assert "Traceback" not in told
