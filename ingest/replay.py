"""The device simulator: players on the air, each frame at its moment, every one accounted for."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from ecg import BadSetting, Frame, TelerhythmError
from ecg.clock import NS
from ingest.misbehaviour import (
    ClockStep,
    Misbehaviour,
    Misdeed,
    MisdeedKind,
    Spells,
    damage,
)
from ingest.mqtt import Link, Will
from ingest.player import Event, Player
from ingest.stats import Stats
from ingest.timetable import Timetable
from ingest.wire import encode_frame, encode_status, frame_topic, status_topic

__all__ = ["ClockStep", "Misbehaviour", "Player", "Replay", "Spells", "Stats"]

MAX_LINKS = 64
WINDOW = 32  # frames of a device on their way at once, when it goes as fast as acknowledged
ACK_TIMEOUT_S = 5.0


class NoBroker(TelerhythmError):
    """Nothing speaks MQTT at the address; the message says which."""


@dataclass(slots=True, eq=False)
class _Line:
    """A connection and what has been sent over it."""

    link: Link
    devices: list[_Device] = field(default_factory=list)
    sent: dict[int, tuple[_Device, tuple[str, ...]]] = field(default_factory=dict)
    cuts: set[str] = field(default_factory=set)  # why it is cut; it is restored when none is left


@dataclass(slots=True, eq=False)
class _Device:
    """A player and where it is."""

    player: Player
    line: _Line
    events: Iterator[tuple[float, Event]]
    stats: Stats = field(default_factory=Stats)
    upcoming: tuple[float, Event] | None = None
    begin_s: float = 0.0  # of its stream, monotonic clock
    begin_ns: int = 0  # likewise, as its frames tell it
    paused_s: float | None = None
    turn: int = 0  # the scheduled call that counts: earlier ones are void
    is_waiting: bool = False  # for acknowledgements


class Replay:
    """Simulated devices on a broker.

    Each device has a connection of its own, with its will, as real ones do; beyond 64 they share
    connections, have no will, and lose their connection together. Devices begin one after the
    other within the length of a frame, so that their frames do not come all at once.

    A replay faster than real time carries times of the past, so that it ends at about now; one
    that loops has no end and runs ahead of the clock.

    Parameters
    ----------
    host, port : str, int
    players : iterable of Player
    username, password : str, optional

    Raises
    ------
    BadSetting
        If there is no player, or two have the same device.
    """

    def __init__(
        self,
        host: str,
        port: int,
        players: Iterable[Player],
        *,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        players = list(players)
        if not players:
            raise BadSetting("there is no device to replay")
        self._address = f"{host}:{port}"
        self._timetable = Timetable()
        self._is_ending = False
        self._n_playing = len(players)
        self._n_on_the_way = 0
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)
        run = uuid.uuid4().hex[:8]  # two replays of one device must not push each other out
        self._lines = [
            _Line(
                Link(
                    host,
                    port,
                    f"replay-{run}-{i}",
                    on_state=partial(self._hear_state, i),
                    on_acknowledged=partial(self._hear_acknowledged, i),
                    will=_will(player) if len(players) <= MAX_LINKS else None,
                    username=username,
                    password=password,
                )
            )
            for i, player in enumerate(players[:MAX_LINKS])
        ]
        self._devices: dict[str, _Device] = {}
        for i, player in enumerate(players):
            if player.device in self._devices:
                raise BadSetting(f"device {player.device} is there twice: give each its own name")
            device = _Device(player, self._lines[i % MAX_LINKS], iter(player))
            device.line.devices.append(device)
            self._devices[player.device] = device

    def start(self, timeout_s: float = 10.0) -> None:
        """Connect and begin; raise `NoBroker` if that takes too long."""
        deadline = time.monotonic() + timeout_s
        for line in self._lines:
            line.link.start()
        for line in self._lines:
            if not line.link.wait_ready(max(0.0, deadline - time.monotonic())):
                self._disconnect()
                raise NoBroker(
                    f"no connection to an MQTT broker at {self._address} within {timeout_s:g} s: "
                    "start the broker, or give its host, port, user and password"
                )
        self._schedule_all()
        self._thread.start()

    def stop(self) -> None:
        """End: wait for the acknowledgements (at most 5 s), say offline, disconnect."""
        self._timetable.ask(self._end)
        self.join()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until all records are played and acknowledged; False when the time is over."""
        # not Thread.join: before Python 3.13 one that Ctrl-C interrupts takes the thread for ended
        is_over = self._thread.ident is None or self._ended.wait(timeout_s)
        if self._error is not None:
            raise self._error
        return is_over

    def pause(self, device: str) -> None:
        """Pull a device's plug: nothing comes of it, and its connection breaks if it has its own.

        What it had sent before and was not acknowledged is sent again after `resume`.
        """
        self._ask(partial(self._pause, self._device(device)))

    def resume(self, device: str) -> None:
        """Plug it in again: it goes on with the next `seq`, at the time that it is now."""
        self._ask(partial(self._resume, self._device(device)))

    @property
    def stats(self) -> Stats:
        """Of all devices together, so far."""
        together = Stats()
        for device in self._devices.values():
            together.add(device.stats)
        return together

    def stats_of(self, device: str) -> Stats:
        """Of one device, so far."""
        return replace(self._device(device).stats)

    def _device(self, name: str) -> _Device:
        if name not in self._devices:
            raise BadSetting(f"no device {name!r} here: there are {', '.join(self._devices)}")
        return self._devices[name]

    # -- called by other threads: they leave word, the replay's own thread does the work ----------

    def _hear_state(self, number: int, is_ready: bool, reason: str) -> None:
        if is_ready:
            self._timetable.ask(partial(self._say_status, self._lines[number], True))

    def _hear_acknowledged(self, number: int, mid: int) -> None:
        self._timetable.ask(partial(self._acknowledged, self._lines[number], mid))

    def _ask(self, work: Callable[[], None]) -> None:
        """Have something done and wait until it is."""
        done = threading.Event()
        self._timetable.ask(work)
        self._timetable.ask(done.set)
        while self._thread.is_alive() and not done.wait(0.1):
            pass

    # -- the replay's own thread ------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._is_ending and (self._n_playing or self._n_on_the_way):
                self._timetable.work()
            self._finish()
        except Exception as error:
            self._error = error
        finally:
            self._disconnect()
            self._ended.set()

    def _end(self) -> None:
        self._is_ending = True

    def _finish(self) -> None:
        self._timetable.clear()
        for line in self._lines:
            line.cuts.clear()
            line.link.restore()
        deadline_s = time.monotonic() + ACK_TIMEOUT_S
        self._settle(deadline_s)
        for line in self._lines:
            self._say_status(line, False)
        self._settle(deadline_s)

    def _disconnect(self) -> None:
        # side by side: one that waits to reconnect takes up to a second to end
        with ThreadPoolExecutor(len(self._lines)) as pool:
            list(pool.map(lambda line: line.link.stop(), self._lines))

    def _settle(self, deadline_s: float) -> None:
        while self._n_on_the_way and time.monotonic() < deadline_s:
            self._timetable.work(deadline_s)

    def _schedule_all(self) -> None:
        now_s, now_ns = time.monotonic(), time.time_ns()
        for i, device in enumerate(self._devices.values()):
            player = device.player
            frame_s = player.frame_n / player.record.fs_hz
            phase_s = i / len(self._devices) * frame_s / player.speed if player.speed else 0.0
            device.begin_s = now_s + phase_s
            device.begin_ns = now_ns + round((phase_s - _past_s(player)) * NS)
            self._advance(device)

    def _advance(self, device: _Device) -> None:
        device.upcoming = next(device.events, None)
        if device.upcoming is None:
            self._n_playing -= 1
        self._schedule(device)

    def _schedule(self, device: _Device) -> None:
        """See to it that the device's next event takes place when it is due."""
        device.turn += 1
        if device.upcoming is None or device.paused_s is not None or self._is_ending:
            return
        is_unpaced = device.player.speed == 0
        device.is_waiting = is_unpaced and device.stats.unacknowledged >= WINDOW
        if not device.is_waiting:
            due_s = device.begin_s + device.upcoming[0]
            self._timetable.at(due_s, partial(self._play, device, device.turn))

    def _play(self, device: _Device, turn: int) -> None:
        if turn != device.turn or device.upcoming is None:
            return
        due_s, event = device.upcoming
        if isinstance(event, Frame):
            late_s = time.monotonic() - device.begin_s - due_s
            if device.player.speed:
                device.stats.late_max_s = max(device.stats.late_max_s, late_s)
            self._send(device, event, "published")
        else:
            self._misbehave(device, event)
        self._advance(device)

    def _misbehave(self, device: _Device, deed: Misdeed) -> None:
        frame, kind = deed.frame, deed.kind
        if kind is MisdeedKind.DROPPED:
            device.stats.dropped_on_purpose += 1
        elif kind is MisdeedKind.RESTARTED:
            device.stats.restarts += 1
        elif kind is MisdeedKind.DISCONNECTED:
            device.stats.disconnects += 1
            self._cut(device.line, device.player.device)
            back = partial(self._restore, device.line, device.player.device)
            self._timetable.at(time.monotonic() + deed.for_s, back)
        elif frame is not None and kind is MisdeedKind.REORDERED:
            self._send(device, frame, "published", "reordered")
        elif frame is not None and kind is MisdeedKind.DUPLICATED:
            self._send(device, frame, "duplicated")
        elif frame is not None:
            self._send(device, frame, "malformed", damage_by=deed.damage)

    def _send(
        self, device: _Device, frame: Frame, *counts: str, damage_by: int | None = None
    ) -> None:
        """Publish a frame; `counts` are the figures that grow when it is acknowledged."""
        payload = encode_frame(replace(frame, t_ns=device.begin_ns + frame.t_ns))
        if damage_by is not None:
            payload = damage(payload, damage_by)
        if frame.lead_off and "published" in counts:
            counts = (*counts, "lead_off")
        self._publish(device, frame_topic(frame.device), payload, counts)

    def _say_status(self, line: _Line, is_online: bool) -> None:
        for device in line.devices:
            topic = status_topic(device.player.device)
            self._publish(device, topic, encode_status(is_online), (), retain=True)

    def _publish(
        self,
        device: _Device,
        topic: str,
        payload: bytes,
        counts: tuple[str, ...],
        retain: bool = False,
    ) -> None:
        mid = device.line.link.publish(topic, payload, qos=1, retain=retain)
        if mid is None:
            device.stats.refused += 1
            return
        device.line.sent[mid] = (device, counts)
        device.stats.unacknowledged += 1
        self._n_on_the_way += 1

    def _acknowledged(self, line: _Line, mid: int) -> None:
        device, counts = line.sent.pop(mid)
        device.stats.unacknowledged -= 1
        self._n_on_the_way -= 1
        for name in counts:
            setattr(device.stats, name, getattr(device.stats, name) + 1)
        if device.is_waiting:
            self._schedule(device)

    def _pause(self, device: _Device) -> None:
        if device.paused_s is None:
            device.paused_s = time.monotonic()
            device.turn += 1
            if len(device.line.devices) == 1:
                self._cut(device.line, "pause")

    def _resume(self, device: _Device) -> None:
        if device.paused_s is not None:
            away_s = time.monotonic() - device.paused_s
            device.begin_s += away_s
            device.begin_ns += round(away_s * NS)
            device.paused_s = None
            self._restore(device.line, "pause")
            self._schedule(device)

    def _cut(self, line: _Line, why: str) -> None:
        line.cuts.add(why)
        line.link.cut()

    def _restore(self, line: _Line, why: str) -> None:
        line.cuts.discard(why)
        if not line.cuts:
            line.link.restore()


def _will(player: Player) -> Will:
    return Will(status_topic(player.device), encode_status(False))


def _past_s(player: Player) -> float:
    """How far back the stream must begin so that its times end at now."""
    if player.duration_s is None or 0 < player.speed <= 1:
        return 0.0
    return player.duration_s * (1 - 1 / player.speed if player.speed else 1)
