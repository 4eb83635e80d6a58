"""`telerhythm serve`: from the broker to the store, the alarms and the screens.

One thread takes messages in the order in which they came. What it does for a frame never waits for
the disk: alarms and pictures leave first, then the rows are handed to the store, and the frame is
acknowledged to the broker when they are durable. A frame that was not acknowledged when this
process dies is sent again by the broker.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import NamedTuple

import structlog

from alerts.delivery import message
from alerts.engine import DeviceAlarm, Judged, Place
from alerts.words import (
    SYSTEM_BED,
    AlarmKind,
    Phase,
    Priority,
    command_topic,
    decode_command,
    live_topic,
    parse_ward_topic,
)
from ecg import BadFrame, BadInput, StoreError, encode_live
from ecg.clock import NS, now_ns
from ingest.mqtt import Delivery, Link
from ingest.wire import SUBSCRIPTIONS, decode_frame, decode_status, frame_topic, parse_topic
from ingest.wire_alarm import decode_alarm
from store.base import Row, Store, Token, WaveformChunk
from telerhythm.bedside import Bedside, Turn
from telerhythm.complaints import Complaints, Disorder
from telerhythm.deliveries import Deliveries
from telerhythm.desk import AlarmDesk, Outcome, desk_of, log_transitions, registry_of
from telerhythm.figures import Figures
from telerhythm.pool import Pool
from telerhythm.settings import Settings
from telerhythm.verifier import Request, Verifier

READY = "telerhythm serve: ready"
TICK_S = 0.25
RETRY_NS = NS
FLUSH_S = 10.0
BEHIND_S = 2.0  # an alarm may be late by so much before people are told
MOST_AT_ONCE = 256  # messages that are taken together: an alarm waits for no more than these
log = structlog.get_logger()


class _FrameTurn(NamedTuple):
    """What is to be analysed of a bed, and the messages that are to be acknowledged after it."""

    bedside: Bedside
    turn: Turn
    received_ns: int
    deliveries: list[Delivery]


class Server:
    """Everything that `serve` wires together."""

    def __init__(self, settings: Settings, store: Store) -> None:
        registry = registry_of(settings)
        run = time.time_ns() // 1_000_000 * 1000  # room for the epochs of one run
        self._store = store
        self._pool = Pool()
        set_up = {bed.device: bed for bed in settings.beds}
        self._bedsides = {
            bed.device: Bedside(bed, run, self._pool, desk_of(bed, set_up[bed.device], settings))
            for bed in registry
        }
        # what concerns a ward as a whole: an unknown device, the store
        self._wards = {
            ward: AlarmDesk(Place(ward, SYSTEM_BED), SYSTEM_BED)
            for ward in {bed.ward for bed in registry}
        }
        self._desks = {(d.place.ward, d.place.bed): d for d in self._all_desks()}
        self._desks_by_key = {desk.key: desk for desk in self._desks.values()}
        for device, last in store.last_frames().items():
            if device in self._bedsides:  # frames sent again are then known as such
                self._bedsides[device].sequencer.resume(last.boot, last.seq, last.end_ns)
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        # frames that wait for others, each with all the copies that came of it
        self._held: dict[tuple[str, int, int], list[Delivery]] = {}
        self._failed: queue.SimpleQueue[tuple[list[Row], list[Delivery]]] = queue.SimpleQueue()
        self._next_retry_ns = 0
        self._stopping = threading.Event()
        self._is_back = threading.Event()  # the broker, which may have forgotten what it had
        self.complaints = Complaints(log)
        self._disorder = Disorder(self.complaints)
        self._behind_ns = 0  # the longest that a message has waited since the last tick
        self.figures = Figures()
        self._deliveries = Deliveries(settings.alarms, store, log)
        self._verifier = Verifier(store, log)
        self._resume()
        self._link = Link(
            settings.broker.host,
            settings.broker.port,
            settings.client_id,
            subscriptions=(*SUBSCRIPTIONS, (command_topic("+", "+"), 1)),
            on_message=self._queue.put,
            on_state=self._hear_link,
            username=settings.broker.username,
            password=settings.broker.password(),
            clean=False,  # the broker keeps what comes while this process is away
        )

    def run(self) -> None:
        """Work until `stop`; then finish what has come in already.

        What comes after that is not acknowledged: the broker keeps it for the next start.
        """
        self._link.start()
        self._deliveries.start()
        self._verifier.start()
        for desk in self._all_desks():
            self._show(desk)
        next_tick = time.monotonic()
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                first = self._queue.get(timeout=max(0.0, next_tick - time.monotonic()))
                self._take_all([first, *self._waiting(MOST_AT_ONCE - 1)])
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._tick()
        self._take_all(self._waiting())
        self._verifier.stop()
        self._deliveries.stop()
        self._store.flush(FLUSH_S)
        self._link.stop()

    def stop(self) -> None:
        """Ask `run` to end. Safe in a signal handler."""
        self._stopping.set()

    def _resume(self) -> None:
        """Alarms that were active are active again; what was not delivered is outstanding."""
        states = self._store.states()
        for desk in self._all_desks():
            text = states.get(desk.key)
            if text is None:
                continue
            try:
                desk.resume(text, now_ns())
            except BadInput as error:
                log.error("not_resumed", reason=str(error))
        self._deliveries.resume(states, self._all_desks())

    def _all_desks(self) -> list[AlarmDesk]:
        return [*(bedside.desk for bedside in self._bedsides.values()), *self._wards.values()]

    def _hear_link(self, is_ready: bool, reason: str) -> None:
        """In the network thread: tell people, and whoever waits for this process to be ready."""
        if is_ready:
            self._is_back.set()
            log.info("broker", state="connected")
            print(READY, flush=True)
        elif not self._stopping.is_set():
            log.warning("broker", state="away", reason=reason)

    # -- what comes in ---------------------------------------------------------------------------

    def _waiting(self, most: int = sys.maxsize) -> list[Delivery]:
        """What has come in already, in its order."""
        return [self._queue.get() for _ in range(min(self._queue.qsize(), most))]

    def _take_all(self, deliveries: Iterable[Delivery]) -> None:
        """Handle messages; whatever is wrong with one stays its sender's own trouble.

        Frames that have come in together are analysed together: one call for many patients.
        """
        turns: list[_FrameTurn] = []
        for delivery in deliveries:
            self._behind_ns = max(self._behind_ns, now_ns() - delivery.received_ns)
            try:
                turn = self._take(delivery)
            except BadInput as error:
                self._complain("malformed", delivery, str(error))
                self._store_then_acknowledge([], [delivery])
            except Exception as error:
                # a fault of ours at one bed must not stop the others
                log.exception("fault", topic=delivery.topic)
                self._complain("fault", delivery, repr(error))
                self._store_then_acknowledge([], [delivery])
            else:
                if turn is not None:
                    turns.append(turn)
        self._analyse(turns)

    def _analyse(self, turns: Sequence[_FrameTurn]) -> None:
        found = iter(self._pool.run([job for each in turns for job in each.turn.jobs]))
        for bedside, turn, received_ns, deliveries in turns:
            findings = list(islice(found, len(turn.jobs)))
            try:
                outcome = bedside.conclude(turn, findings, received_ns)
            except Exception as error:
                log.exception("fault", device=bedside.bed.device)
                topic = frame_topic(bedside.bed.device)
                self.complaints.add("fault", topic, repr(error), received_ns)
                outcome = turn.outcome
            self._emit(bedside.desk, outcome, deliveries, bedside.bed.device)

    def _take(self, delivery: Delivery) -> _FrameTurn | None:
        """Handle one message, but for the analysis of a frame: that is still to be done."""
        if delivery.topic.startswith("ward/"):
            self._take_command(delivery)
            return None
        return self._take_from_device(delivery)

    def _take_command(self, delivery: Delivery) -> None:
        topic = parse_ward_topic(delivery.topic)
        desk = self._desks.get((topic.ward, topic.bed))
        if desk is None:
            raise BadInput(f"bed {topic.ward}/{topic.bed} is not in the settings")
        outcome = Outcome()
        desk.command(decode_command(delivery.payload), now_ns(), outcome)
        self._emit(desk, outcome, [delivery])

    def _take_from_device(self, delivery: Delivery) -> _FrameTurn | None:
        topic = parse_topic(delivery.topic)
        device = f"{topic.site}/{topic.device}"
        bedside = self._bedsides.get(device)
        if topic.kind == "alarm" and bedside is not None:
            self._take_alarm(bedside, delivery)
        elif topic.kind == "alarm":
            self._take_unknown(device, delivery)
        elif topic.kind == "status":
            status = decode_status(delivery.payload)
            log.info("status", device=device, status=status)
            if bedside is None and status.is_online:
                self._take_unknown(device, delivery)
            else:
                self._store_then_acknowledge([], [delivery])
        elif bedside is None:
            self._take_unknown(device, delivery)
        else:
            return self._take_frame(bedside, delivery)
        return None

    def _take_alarm(self, bedside: Bedside, delivery: Delivery) -> None:
        """An alarm that the device raises itself: to be checked, a lethal one not held back."""
        alarm = decode_alarm(delivery.payload)
        priority = Priority[alarm.priority.upper()] if alarm.priority else None
        event = DeviceAlarm(alarm.kind, alarm.t_ns, alarm.is_on, alarm.text, priority)
        outcome = Outcome()
        desk = bedside.desk
        desk.step(event, now_ns(), outcome)
        self._emit(desk, outcome, [delivery])
        for claim in desk.take_unasked():
            self._verifier.ask(Request(desk.key, bedside.bed.patient, claim))

    def _take_frame(self, bedside: Bedside, delivery: Delivery) -> _FrameTurn | None:
        self.figures.frames_received += 1
        device = bedside.bed.device
        try:
            frame = decode_frame(delivery.payload, device)
        except BadFrame as error:
            self._complain("malformed", delivery, str(error))
            outcome = Outcome()
            text = "The device sends data that cannot be read: check or change the device."
            bedside.desk.trouble(AlarmKind.BAD_DATA, text, now_ns(), outcome)
            self._emit(bedside.desk, outcome, [delivery])
            return None
        turn = bedside.order(frame, delivery.received_ns)
        self._disorder.tell(bedside.sequencer.counts, bedside.bed.device, delivery.received_ns)
        if bedside.sequencer.holds(frame.boot, frame.seq):
            # it is acknowledged when its turn has come and it is stored
            self._held.setdefault((device, frame.boot, frame.seq), []).append(delivery)
            return _FrameTurn(bedside, turn, delivery.received_ns, [])
        return _FrameTurn(bedside, turn, delivery.received_ns, [delivery])

    def _take_unknown(self, device: str, delivery: Delivery) -> None:
        self._complain("unknown_device", delivery, f"device {device} is at no bed of the settings")
        text = f"Device {device} sends, but is at no bed: add it to the settings or switch it off."
        for desk in self._wards.values():
            outcome = Outcome()
            desk.trouble(AlarmKind.UNKNOWN_DEVICE, text, now_ns(), outcome, about=device)
            self._emit(desk, outcome, [])
        self._store_then_acknowledge([], [delivery])

    def _complain(self, kind: str, delivery: Delivery, reason: str, times: int = 1) -> None:
        self.complaints.add(kind, delivery.topic, reason, delivery.received_ns, times)

    # -- what goes out ---------------------------------------------------------------------------

    def _tick(self) -> None:
        now = now_ns()
        if self._is_back.is_set():
            self._is_back.clear()
            self._show_anew()
        if now >= self._next_retry_ns and not self._failed.empty():
            self._next_retry_ns = now + RETRY_NS
            self._retry(now)
        for key, claim, verdict in self._verifier.answers():
            desk = self._desks_by_key[key]
            outcome = Outcome()
            desk.step(Judged(claim, verdict), now, outcome)
            self._emit(desk, outcome, [])
        beds = self._bedsides.values()
        self._analyse([_FrameTurn(bedside, bedside.let_pass(now), now, []) for bedside in beds])
        for bedside in beds:
            self._disorder.tell(bedside.sequencer.counts, bedside.bed.device, now)
        stuck = self._deliveries.stuck(now)
        behind_s, self._behind_ns = self._behind_ns / NS, 0
        for desk in self._wards.values():
            outcome = Outcome()
            for name, text in stuck:
                desk.trouble(AlarmKind.DELIVERY_TROUBLE, text, now, outcome, about=name)
            if behind_s > BEHIND_S:
                text = (
                    f"The analysis is {behind_s:.0f} s behind: alarms come late. Too many devices?"
                )
                desk.trouble(AlarmKind.OVERLOAD, text, now, outcome)
            desk.tick(now, outcome)
            self._emit(desk, outcome, [])

    def _emit(
        self, desk: AlarmDesk, outcome: Outcome, deliveries: list[Delivery], device: str = ""
    ) -> None:
        """Tell people first, then the store."""
        self._show(desk)
        if outcome.transitions:
            log_transitions(log, desk.place, outcome.transitions)
            outcome.rows += self._deliveries.note(desk, outcome.transitions)
        for chunk in outcome.chunks:
            self._link.publish(live_topic(chunk.ward, chunk.bed), encode_live(chunk), qos=0)
            self.figures.beats += len(chunk.beats)
        self.figures.alarms += sum(t.phase is Phase.RAISED for t in outcome.transitions)
        for boot, seq in outcome.frames:
            deliveries += self._held.pop((device, boot, seq), ())
        if outcome.rows or deliveries:
            self._store_then_acknowledge(outcome.rows, deliveries)

    def _show(self, desk: AlarmDesk) -> None:
        """Publish the alarm state of a place when it has changed."""
        document = desk.news(now_ns())
        if document is None:
            return
        topic, payload = message(document)
        self._link.publish(topic, payload, qos=1, retain=True)

    def _show_anew(self) -> None:
        """Publish the alarm state of all places, whatever the broker has.

        One that was killed may have lost its retained messages, and of those that waited for the
        connection an older one may have come last.
        """
        for desk in self._all_desks():
            desk.forget_published()
            self._show(desk)

    def _store_then_acknowledge(self, rows: list[Row], deliveries: list[Delivery]) -> None:
        """Store rows and acknowledge, once they are durable, the messages that they came in.

        A message without rows (a duplicate, a frame that cannot be read) is acknowledged when
        all rows before it are durable: its first copy may be among them.
        """
        try:
            token = self._store.append(rows)
        except StoreError as error:
            self._keep(error, rows, deliveries)
            return
        token.on_durable(partial(self._settled, rows, deliveries))

    def _settled(self, rows: list[Row], deliveries: list[Delivery], token: Token) -> None:
        """In the store's thread: acknowledge, or keep for another try."""
        if token.error is not None:
            self._keep(token.error, rows, deliveries)
            return
        for delivery in deliveries:
            self._link.ack(delivery)
        self.figures.stored(row.end_ns for row in rows if isinstance(row, WaveformChunk))

    def _keep(self, error: StoreError, rows: list[Row], deliveries: list[Delivery]) -> None:
        self.complaints.add("store", "store", str(error), now_ns(), max(1, len(rows)))
        self._failed.put((rows, deliveries))

    def _retry(self, now: int) -> None:
        """Append again what could not be stored; nothing of it was acknowledged meanwhile."""
        text = "Waveforms and findings cannot be stored: check the disk. Watching goes on."
        for desk in self._wards.values():
            outcome = Outcome()
            desk.trouble(AlarmKind.STORE_TROUBLE, text, now, outcome)
            self._emit(desk, outcome, [])
        for _ in range(self._failed.qsize()):
            self._store_then_acknowledge(*self._failed.get())
