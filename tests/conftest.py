"""For tests of several rooms: a real broker, and records to play."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from ecg import Record

# a machine that is busy is slow: no example fails for its time
settings.register_profile("telerhythm", deadline=None)
settings.load_profile("telerhythm")

HOST = "127.0.0.1"


class Broker:
    """Mosquitto in a folder of its own; it may be stopped, killed and started again."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port: int = probe.getsockname()[1]
        self.host = HOST
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} {HOST}\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
            "max_queued_messages 0\n"
            "max_inflight_messages 0\n"
            "log_type error\n" + ("user root\n" if Path.home() == Path("/root") else "")
            # as root it would become another user, who may not write here
        )
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, 5.0)

    def stop(self) -> None:
        """In peace: it writes sessions and their messages to disk."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5.0)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(5.0)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


def wait_until(condition, timeout_s: float) -> None:
    """Fail when the condition does not come true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
        time.sleep(0.01)


@pytest.fixture(name="wait_until")
def _wait_until():
    return wait_until


@pytest.fixture
def stopped_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that is not running yet."""
    places = "/usr/sbin:/usr/local/sbin"
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path=places)
    if program is None:
        pytest.skip("mosquitto is not installed")
    broker = Broker(program, tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def broker(stopped_broker: Broker) -> Broker:
    stopped_broker.start()
    return stopped_broker


@pytest.fixture
def make_record():
    """A record whose samples tell their index: sample i of lead k is (i + k) steps of 5 µV."""

    def make(n_samples: int = 1000, fs_hz: float = 250.0, n_leads: int = 2) -> Record:
        steps = (np.arange(n_samples)[None] + np.arange(n_leads)[:, None]) % 30000
        x_mv = (steps * 0.005).astype(np.float32)
        return Record("steps", fs_hz, ("II", "V5", "V1")[:n_leads], x_mv, lsb_mv=0.005)

    return make
