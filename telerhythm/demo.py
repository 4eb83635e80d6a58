"""The demo: broker, devices, serve and dashboard on one machine, for real."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dashboard
from ecg.errors import TelerhythmError
from ingest.replay import Player, Replay
from store.sqlite import SqliteReader
from telerhythm import broker
from telerhythm.beds import DemoBed
from telerhythm.parts import HOST, Part, free_port
from telerhythm.serve import READY

BROKER_PORT = 1883
DASHBOARD_PORT = 8501
COMPILE_TIMEOUT_S = 300.0  # the first start after an update compiles the kernels: a minute
DRAIN_TIMEOUT_S = 10.0  # for what is still on its way when the devices have stopped


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the frames: the JSON object that `demo --for` prints."""

    frames_published: int
    frames_received: int
    frames_lost: int
    beats: int
    alarms: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None

    def text(self) -> str:
        """As JSON, on one line."""
        return json.dumps(asdict(self))


class Demo:
    """All parts of telerhythm, running.

    Examples
    --------
    ::

        with Demo(choose()) as demo:
            print(demo.address)
            demo.watch(for_s=60)
        print(demo.summary.text())
    """

    def __init__(self, beds: Sequence[DemoBed], *, dashboard_port: int = DASHBOARD_PORT) -> None:
        self._beds = list(beds)
        self._folder = Path(tempfile.mkdtemp(prefix="telerhythm-demo-"))
        self._broker_port = free_port(BROKER_PORT)
        self._dashboard_port = free_port(dashboard_port)
        self.parts: list[Part] = []
        self._stopped = False
        self.replay: Replay | None = None
        self.summary: Summary | None = None

    @property
    def _store_path(self) -> Path:
        return self._folder / "telerhythm.sqlite"

    @property
    def folder(self) -> Path:
        """Store, settings and logs of the parts; gone when the demo has ended."""
        return self._folder

    @property
    def address(self) -> str:
        """Where a browser sees the ward."""
        return f"http://{HOST}:{self._dashboard_port}"

    def start(self) -> None:
        """Start the parts, the slow ones side by side; devices last, when somebody listens."""
        settings = self._write_settings()
        broker_part = self._start("broker", broker.command(self._broker_port, self._folder))
        dashboard_part = self._start(
            "dashboard",
            dashboard.command(self._dashboard_port),
            dashboard.environment(HOST, self._broker_port, self._store_path),
        )
        broker_part.wait_for_port(self._broker_port)
        serve_part = self._start(
            "serve", [sys.executable, "-m", "telerhythm", "serve", "--settings", str(settings)]
        )
        # while they start: records take a moment to read or to simulate
        players = [Player(bed.device, bed.load(), loop=True) for bed in self._beds]
        serve_part.wait_for_line(READY, COMPILE_TIMEOUT_S)
        self.replay = Replay(HOST, self._broker_port, players)
        self.replay.start()
        dashboard_part.wait_for_port(self._dashboard_port)

    def watch(self, for_s: float | None = None) -> None:
        """Wait, for some seconds or for ever; raise `PartDied` as soon as a part has ended."""
        deadline = None if for_s is None else time.monotonic() + for_s
        while deadline is None or time.monotonic() < deadline:
            for part in self.parts:
                part.check()
            time.sleep(0.1)

    def stop(self) -> None:
        """End the parts in the order of the sample's way, so that nothing under way is lost."""
        if self._stopped:
            return
        self._stopped = True
        published = stored = 0
        if self.replay is not None:
            self.replay.stop()
            published = self.replay.stats.published
            stored = self._drain(published)
        parts = {part.name: part for part in self.parts}
        ending = [parts[name] for name in ("serve", "dashboard", "broker") if name in parts]
        failed = [part for part in ending if part.stop() not in (0, -signal.SIGTERM)]
        if "serve" in parts:
            self.summary = _summary(published, stored, parts["serve"].log)
        words = [f"{part.name} ended with an error:\n{part.last_words()}" for part in failed]
        shutil.rmtree(self._folder, ignore_errors=True)
        if words:
            raise TelerhythmError("\n".join(words))

    def _drain(self, published: int) -> int:
        """Wait until all that was published is in the store; how many frames are, by its file."""
        deadline = time.monotonic() + DRAIN_TIMEOUT_S
        with SqliteReader(self._store_path) as reader:
            while True:
                stored = reader.counts()["waveform"]
                is_over = time.monotonic() > deadline or not all(p.is_alive for p in self.parts)
                if stored >= published or is_over:
                    return stored
                time.sleep(0.1)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        except TelerhythmError:
            if error is None:  # else it has been told already which part has died
                raise

    def _start(
        self, name: str, command: Sequence[str], environment: dict[str, str] | None = None
    ) -> Part:
        part = Part.start(name, command, self._folder, environment)
        self.parts.append(part)
        return part

    def _write_settings(self) -> Path:
        path = self._folder / "telerhythm.toml"
        # a JSON string is a TOML string too
        lines = [
            "[broker]",
            f"host = {json.dumps(HOST)}",
            f"port = {self._broker_port}",
            "[store]",
            f"path = {json.dumps(str(self._store_path))}",
        ]
        for bed in self._beds:
            lines.append("[[beds]]")
            lines += [
                f"{k} = {json.dumps(v)}"
                for k, v in bed.settings.model_dump(exclude_defaults=True).items()
            ]
        path.write_text("\n".join(lines) + "\n")
        return path


def _summary(published: int, stored: int, serve_log: Path) -> Summary | None:
    """From the last line that serve wrote; None when it died before."""
    lines = serve_log.read_text(errors="replace").splitlines()
    try:
        report: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return None
    return Summary(
        frames_published=published,
        frames_received=report["frames_received"],
        frames_lost=published - stored,
        beats=report["beats"],
        alarms=report["alarms"],
        latency_p50_ms=report["latency_p50_ms"],
        latency_p99_ms=report["latency_p99_ms"],
    )
