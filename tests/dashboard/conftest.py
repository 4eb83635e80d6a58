"""A broker, a ward that publishes signals of known shape, and the dashboard in a browser."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from numpy.typing import NDArray
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page, sync_playwright

import dashboard
from alerts.words import (
    Alarm,
    AlarmKind,
    BedAlarms,
    Phase,
    Priority,
    alarm_topic,
    command_topic,
    encode_state,
    live_topic,
)
from benchmarks.page import ARGUMENTS, CHROMIUM
from ecg import LiveChunk, encode_live
from ecg.clock import NS, now_ns

WARD = "a"
SCREENSHOTS = Path(__file__).parent / "screenshots"
FS_HZ = 250.0
CHUNK_N = 50
Wave = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # mV by seconds; NaN: no sample


def square(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 mV for 0.5 s of every second."""
    return np.where(t_s % 1.0 < 0.5, 1.0, 0.0)


def pulses(t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Something like QRS complexes, 1.2 s apart."""
    return 1.4 * np.exp(-(((t_s % 1.2) - 0.6) ** 2) / 0.0004)


def alarm(
    priority: Priority, *, phase: Phase = Phase.RAISED, by: str | None = None, number: int = 1
) -> Alarm:
    kind = {
        Priority.HIGH: AlarmKind.ASYSTOLE,
        Priority.MEDIUM: AlarmKind.NO_DATA,
        Priority.LOW: AlarmKind.LEAD_OFF,
    }[priority]
    text = {
        Priority.HIGH: "Asystole: no beat for 4.0 s.",
        Priority.MEDIUM: "No data from the device for 5 s.",
        Priority.LOW: "Lead V5 is off.",
    }[priority]
    return Alarm(f"id-{priority}-{number}", kind, priority, phase, now_ns(), text, "", by)


class Broker:
    """A mosquitto that can be ended and started again at its port."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            pytest.skip("mosquitto is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._command = [found, "-c", str(self._settings)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Server:
    """The real dashboard, which can be ended and started again at its port."""

    def __init__(self, broker_port: int, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"
        self._log = folder / "log"
        self.store_path = folder / "store.sqlite"
        self._variables = dashboard.environment("127.0.0.1", broker_port, self.store_path)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                dashboard.command(self._port),
                env=os.environ | self._variables,
                stdout=log,
                stderr=log,
            )
        wait_for_port(self._port, 60.0)

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(30) in (0, -15), self._log.read_text()
            self._process = None


class Ward:
    """What `serve` would publish: chunks at their time, and alarm documents."""

    _epochs = itertools.count(1)  # each ward's samples begin at 0

    def __init__(self, port: int) -> None:
        self._epoch = next(self._epochs)
        self.commands: list[tuple[str, bytes]] = []
        self.waves: dict[str, Wave] = {}
        self.rates: dict[str, float | None] = {}
        self.qualities: dict[str, tuple[int, int]] = {}
        self.findings: dict[str, Callable[[int], dict[str, object]]] = {}  # by the chunk's sample
        self._stopping = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe(command_topic("+", "+"), 1)
        self._client.on_message = lambda _c, _u, m: self.commands.append((m.topic, m.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def bed(
        self,
        name: str,
        wave: Wave | None,
        *alarms: Alarm,
        rate: float | None = 60.0,
        **words: object,
    ) -> None:
        """Say who the bed is, and play its signal from now on; None: no signal."""
        fields = {
            "label": f"record {name}",
            "source": "simulated",
            "device": f"s/{name}",
            "connected": wave is not None,
            "leads": ("II", "V5"),
            "limits": (("low_bpm", 50.0), ("high_bpm", 120.0)),
        } | words
        document = BedAlarms(WARD, name, now_ns(), alarms=alarms, **fields)  # type: ignore[arg-type]
        self._client.publish(alarm_topic(WARD, name), encode_state(document), 1, retain=True)
        self.rates[name] = rate
        if wave is None:
            self.waves.pop(name, None)
        else:
            self.waves[name] = wave

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _play(self) -> None:
        start_ns, n = now_ns(), 0
        while not self._stopping.wait(max(0.0, (start_ns - now_ns()) / NS + n / FS_HZ)):
            samples = np.arange(n - CHUNK_N, n)
            for bed, wave in list(self.waves.items()):
                if n:
                    self._publish(bed, wave(samples / FS_HZ), int(samples[0]), start_ns)
            n += CHUNK_N

    def _publish(self, bed: str, mv: NDArray[np.float64], sample: int, start_ns: int) -> None:
        if np.isnan(mv).all():  # lost on the way: the next one's number tells
            return
        x = np.where(np.isnan(mv), -32768, np.nan_to_num(mv) * 200).astype(np.int16)
        chunk = LiveChunk(
            ward=WARD,
            bed=bed,
            epoch=self._epoch,
            sample=sample,
            t_ns=start_ns + round(sample * NS / FS_HZ),
            fs_hz=FS_HZ,
            leads=("II", "V5"),
            lsb_uv=(5.0, 5.0),
            x=np.stack([x, x]),
            quality=self.qualities.get(bed, (0, 0)),
            hr_bpm=self.rates[bed],
            **self.findings.get(bed, lambda _: {})(sample),  # type: ignore[arg-type]
        )
        self._client.publish(live_topic(WARD, bed), encode_live(chunk), 0)


def wait_for_port(port: int, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens at {port}")


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait for something that happens in another thread or process."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.01)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(broker.port, tmp_path_factory.mktemp("dashboard"))
    made.start()
    yield made
    made.end()


@pytest.fixture
def ward(broker: Broker) -> Iterator[Ward]:
    made = Ward(broker.port)
    yield made
    made.stop()


@pytest.fixture(scope="module")  # while it is open, its thread has no place for another loop
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing; `make browser` installs it as root")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def beds(broker: Broker) -> Iterator[Ward]:
    """One ward for all tests here; each says anew who lies where."""
    made = Ward(broker.port)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    SCREENSHOTS.mkdir(exist_ok=True)
    opened = chromium.new_page(viewport={"width": 1920, "height": 1080})
    opened.set_default_timeout(60_000)
    opened.goto(server.address)
    yield opened
    opened.close()


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the page looked like at the end of each test, failed or not."""
    yield
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    request.getfixturevalue("page").screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def eight(beds: Ward, page: Page) -> Ward:
    """Eight calm beds."""
    for bed in map(str, range(1, 9)):
        beds.bed(bed, pulses, rate=60.0)
    page.wait_for_function(
        "() => window.__telerhythm && document.querySelectorAll('.head.calm').length === 8"
    )
    return beds
