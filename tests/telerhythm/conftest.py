"""`telerhythm serve` as a process, for the tests that watch it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts.words import BedAlarms, alarm_topic, decode_state
from ingest.mqtt import Delivery, Link
from store.sqlite import SqliteReader
from telerhythm.serve import READY

BEDS = ("1", "2")


class Serve:
    """The process, its store and what it says of the ward."""

    def __init__(self, broker: Any, folder: Path, more: str = "") -> None:
        self.store = folder / "store.sqlite"
        self.alarms: dict[str, BedAlarms] = {}
        self._settings = folder / "telerhythm.toml"
        self._log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        lines = ["[broker]", f"port = {broker.port}", "[store]", f'path = "{self.store}"']
        for bed in BEDS:
            lines += ["[[beds]]", 'ward = "icu"', f'bed = "{bed}"', f'patient = "p-{bed}"']
            lines.append(f'device = "site/{bed}"')
        self._settings.write_text("\n".join(lines) + "\n" + more)
        self.link = Link(
            broker.host,
            broker.port,
            "watcher",
            subscriptions=[(alarm_topic("icu", "+"), 1)],
            on_message=self._hear,
        )
        self.link.start()

    def start(self) -> None:
        ready = self.log.count(READY)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "telerhythm", "serve", "--settings", str(self._settings)],
                stdout=log,
                stderr=log,
                env={k: v for k, v in os.environ.items() if not k.startswith("TELERHYTHM_")},
            )
        self._ready = ready

    @property
    def is_ready(self) -> bool:
        return self.log.count(READY) > self._ready

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> dict[str, Any]:
        """In peace; its report."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, self.log
        report: dict[str, Any] = json.loads(self.log.splitlines()[-1])
        return report

    def end(self) -> None:
        self.link.stop()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stored(self) -> int:
        """Frames in the store."""
        with SqliteReader(self.store) as reader:
            return reader.counts()["waveform"]

    def samples(self, bed: str) -> np.ndarray:
        """Of a patient's first lead, in their order in time."""
        with SqliteReader(self.store) as reader:
            chunks = reader.waveform(f"p-{bed}", 0, 2**62)
        return np.concatenate([chunk.x[0] for chunk in chunks])

    def kinds(self, bed: str) -> list[str]:
        """Alarms that are shown at a bed; of the ward as a whole at `_system`."""
        return [a.kind.value for a in self.alarms[bed].alarms] if bed in self.alarms else []

    def _hear(self, delivery: Delivery) -> None:
        state = decode_state(delivery.payload)
        self.alarms[state.bed] = state
        self.link.ack(delivery)


@pytest.fixture
def serve_with(
    broker: Any, tmp_path: Path, wait_until: Callable[..., None]
) -> Iterator[Callable[[str], Serve]]:
    """Start it with more settings than broker, store and beds."""
    made: list[Serve] = []

    def start(more: str = "") -> Serve:
        made.append(Serve(broker, tmp_path, more))
        made[-1].start()
        wait_until(lambda: made[-1].is_ready, 60.0)
        return made[-1]

    yield start
    for one in made:
        one.end()


@pytest.fixture
def serve(serve_with: Callable[[str], Serve]) -> Serve:
    return serve_with("")
