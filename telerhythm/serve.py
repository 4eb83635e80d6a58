"""`telerhythm serve`: from the broker to the store, the alarms and the screens.

One thread takes messages in the order in which they came. What it does for a frame never waits for
the disk: alarms and pictures leave first, then the rows are handed to the store, and the frame is
acknowledged to the broker when they are durable. A frame that was not acknowledged when this
process dies is sent again by the broker.
"""

from __future__ import annotations

import json
import queue
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial

import structlog

import detectors
from alerts.words import (
    SYSTEM_BED,
    AlarmKind,
    alarm_topic,
    command_topic,
    decode_command,
    encode_state,
    live_topic,
    parse_ward_topic,
)
from ecg import BadFrame, BadInput, StoreError, encode_live
from ecg.clock import now_ns
from ingest.mqtt import Delivery, Link
from ingest.registry import Bed, Registry
from ingest.wire import SUBSCRIPTIONS, decode_frame, decode_status, parse_topic
from store.base import Row, Store, Token
from store.sqlite import SqliteStore
from telerhythm.bedside import Bedside, Outcome
from telerhythm.complaints import Complaints
from telerhythm.settings import Settings

READY = "telerhythm serve: ready"
TICK_S = 0.25
RETRY_S = 1.0
log = structlog.get_logger()


@dataclass(slots=True)
class Figures:
    """What serve has done, for the report at its end."""

    frames_received: int = 0
    frames_stored: int = 0
    beats: int = 0
    alarms: int = 0
    # From the moment at which a device had a frame's last sample (and published it) until the
    # frame was durable. The last hour of eight devices at four frames a second fits.
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=120_000))

    def report(self, complaints: dict[str, int]) -> str:
        """As one line of JSON."""
        latencies = sorted(self.latencies_ms)

        def quantile(q: float) -> float | None:
            return round(latencies[int(q * (len(latencies) - 1))], 1) if latencies else None

        return json.dumps(
            {
                "frames_received": self.frames_received,
                "frames_stored": self.frames_stored,
                "beats": self.beats,
                "alarms": self.alarms,
                "latency_p50_ms": quantile(0.50),
                "latency_p99_ms": quantile(0.99),
                "complaints": complaints,
            }
        )


class Server:
    """Everything that `serve` wires together."""

    def __init__(self, settings: Settings, store: Store) -> None:
        beds = [Bed(**bed.model_dump()) for bed in settings.beds]
        self._registry = Registry(beds)
        self._store = store
        run = time.time_ns() // 1_000_000 * 1000  # room for the epochs of one run
        now = now_ns()
        self._bedsides = {bed.device: Bedside(bed, run, now) for bed in beds}
        self._by_bed = {(b.bed.ward, b.bed.bed): b for b in self._bedsides.values()}
        self._systems = {
            ward: Bedside(Bed(ward, SYSTEM_BED, SYSTEM_BED, "", "", "device"), run, now)
            for ward in {bed.ward for bed in beds}
        }
        self._resume(store)
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._held: dict[tuple[str, int, int], Delivery] = {}
        self._failed: queue.SimpleQueue[tuple[list[Row], list[Delivery]]] = queue.SimpleQueue()
        self._complaints = Complaints()
        self._stopping = threading.Event()
        self.figures = Figures()
        self._link = Link(
            settings.broker.host,
            settings.broker.port,
            settings.client_id,
            subscriptions=(*SUBSCRIPTIONS, (command_topic("+", "+"), 1)),
            on_message=self._queue.put,
            clean=False,
        )

    def run(self) -> None:
        """Work until `stop`; then finish what has come in already."""
        self._link.start()
        if not self._link.wait_until_ready(30.0):
            log.warning("broker", reason="no broker yet: serve goes on trying")
        print(READY, flush=True)
        for bedside in (*self._bedsides.values(), *self._systems.values()):
            self._publish_state(bedside, now_ns())
        next_tick = time.monotonic()
        quiet = False
        while not (self._stopping.is_set() and quiet):
            try:
                delivery = self._queue.get(timeout=max(0.0, next_tick - time.monotonic()))
                self._take(delivery)
                quiet = False
            except queue.Empty:
                quiet = True
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._tick()
        self._store.flush(10.0)
        self._link.stop()

    def stop(self) -> None:
        """Ask `run` to end. Safe in a signal handler."""
        self._stopping.set()

    def _resume(self, store: Store) -> None:
        """Go on where the store ends, so that frames sent again are known as such."""
        for device, last in store.last_frames().items():
            if device in self._bedsides:
                self._bedsides[device].sequencer.resume(last.boot, last.seq, last.end_ns)

    # -- what comes in ------------------------------------------------------------------------

    def _take(self, delivery: Delivery) -> None:
        """Handle one message; whatever is wrong with it stays its sender's own trouble."""
        try:
            if delivery.topic.startswith("ward/"):
                self._take_command(delivery)
            else:
                self._take_device(delivery)
        except BadInput as error:
            self._complain("malformed", delivery, str(error))
            self._finish([], [delivery])

    def _take_command(self, delivery: Delivery) -> None:
        topic = parse_ward_topic(delivery.topic)
        bedside = self._by_bed.get((topic.ward, topic.bed))
        if bedside is None and topic.bed == SYSTEM_BED:
            bedside = self._systems.get(topic.ward)
        if bedside is None:
            self._complain("unknown_bed", delivery, "no such bed in the settings")
            self._finish([], [delivery])
            return
        command = decode_command(delivery.payload)
        self._emit(bedside, bedside.command(command, now_ns()), [delivery])

    def _take_device(self, delivery: Delivery) -> None:
        topic = parse_topic(delivery.topic)
        device = f"{topic.site}/{topic.device}"
        bedside = self._bedsides.get(device)
        if bedside is None:
            self._unknown(device, delivery)
        elif topic.kind == "frame":
            self._take_frame(bedside, delivery)
        else:
            if topic.kind == "status":
                log.info("status", device=device, **decode_status(delivery.payload).words())
            self._finish([], [delivery])

    def _take_frame(self, bedside: Bedside, delivery: Delivery) -> None:
        now = now_ns()
        device = bedside.bed.device
        try:
            frame = decode_frame(delivery.payload, device)
        except BadFrame as error:
            self._complain("malformed", delivery, str(error))
            text = "The device sends data that cannot be read: check or change the device."
            self._emit(bedside, bedside.trouble(AlarmKind.BAD_DATA, text, now), [delivery])
            return
        before = bedside.sequencer.counts.copy()
        outcome = bedside.take(frame, delivery.received_ns)
        self._complain_of_order(bedside, before, delivery.topic)
        if bedside.sequencer.holds(frame.boot, frame.seq):
            # not to be acknowledged before its turn has come
            self._held[device, frame.boot, frame.seq] = delivery
            self._emit(bedside, outcome, [])
        else:
            self._emit(bedside, outcome, [delivery])

    def _unknown(self, device: str, delivery: Delivery) -> None:
        self._complain("unknown_device", delivery, f"device {device} is at no bed of the settings")
        text = f"Device {device} sends, but is at no bed: add it to the settings or switch it off."
        for system in self._systems.values():
            outcome = system.trouble(AlarmKind.UNKNOWN_DEVICE, text, now_ns())
            self._emit(system, outcome, [])
        self._finish([], [delivery])

    def _complain(self, kind: str, delivery: Delivery, reason: str) -> None:
        self._complaints.add(kind, delivery.topic, reason, delivery.received_ns)

    # -- what goes out ------------------------------------------------------------------------

    def _tick(self) -> None:
        now = now_ns()
        for bedside in self._bedsides.values():
            self._emit(bedside, bedside.tick(now), [])

    def _emit(self, bedside: Bedside, outcome: Outcome, deliveries: list[Delivery]) -> None:
        """Tell people first, then the store."""
        self._publish_state(bedside)
        for chunk in outcome.chunks:
            self._link.publish(live_topic(chunk.ward, chunk.bed), encode_live(chunk), qos=0)
            self.figures.beats += len(chunk.beats)
        raised = [t for t in outcome.transitions if t.phase is Phase.RAISED]
        self.figures.alarms += len(raised)
        for frame in outcome.frames:
            held = self._held.pop((bedside.bed.device, *frame), None)
            if held is not None:
                deliveries.append(held)
        if outcome.rows or deliveries:
            self._finish(outcome.rows, deliveries)

    def _publish_state(self, bedside: Bedside) -> None:
        document = bedside.document(now_ns())
        shown = replace(document, t_ns=0)
        if self._shown.get(bedside) == shown:
            return
        self._shown[bedside] = shown
        topic = alarm_topic(document.ward, document.bed)
        self._link.publish(topic, encode_state(document), qos=1, retain=True)

    def _finish(self, rows: list[Row], deliveries: list[Delivery]) -> None:
        """Store rows and acknowledge, once they are durable, the messages that they came in.

        A message without rows (a duplicate, a frame that cannot be read) is acknowledged when
        all rows before it are durable: its first copy may be among them.
        """
        try:
            token = self._store.append(rows)
        except StoreError as error:
            self._store_failed(error, rows, deliveries)
            return
        token.on_durable(partial(self._settled, rows, deliveries))

    def _settled(self, rows: list[Row], deliveries: list[Delivery], token: Token) -> None:
        """In the store's thread: acknowledge, or keep for another try."""
        if token.error is not None:
            self._store_failed(token.error, rows, deliveries)
            return
        now = now_ns()
        for delivery in deliveries:
            self._link.ack(delivery)
        for row in rows:
            if isinstance(row, WaveformChunk):
                self.figures.frames_stored += 1
                self.figures.latencies_ms.append((now - row.end_ns) / 1e6)

    def _store_failed(self, error: StoreError, rows: list[Row], deliveries: list[Delivery]) -> None:
        self._complaints.add("store", "store", str(error), now_ns(), times=max(1, len(rows)))
        self._failed.put((rows, deliveries))

    def _retry(self) -> None:
        """Append again what could not be stored; nothing of it was acknowledged meanwhile."""
        for _ in range(self._failed.qsize()):
            rows, deliveries = self._failed.get()
            self._finish(rows, deliveries)


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then print a report, one line of JSON."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    detectors.warm()
    settings.store.path.parent.mkdir(parents=True, exist_ok=True)
    with SqliteStore(settings.store.path) as store:
        server = Server(settings, store)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: server.stop())
        server.run()
        print(server.report(), flush=True)
