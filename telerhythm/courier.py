"""The thread that brings messages to one receiver, so that no receiver waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from alerts.outbox import Message, Outbox
from alerts.words import Alarm, Transition
from ecg.clock import now_ns
from ecg.errors import StoreError, TelerhythmError
from store.base import AuditRow, Row, StateRow, Store, Token

KEY = "delivery/"
"""Keys of the store under which outstanding messages are kept: `delivery/RECEIVER/ID`."""
IDLE_S = 1.0
STOP_S = 2.0


class NotDelivered(TelerhythmError):
    """A message did not arrive; it is sent again."""


class Refused(TelerhythmError):
    """The receiver will never take this message."""


class Send(Protocol):
    """Brings one message to its receiver, or raises `NotDelivered` or `Refused`."""

    def __call__(self, message: Message, is_late: bool) -> None:
        """Return when the receiver has confirmed it."""
        ...


class Courier:
    """One receiver's messages on their way.

    `note` is called by the thread that watches patients: it puts a message into a list and returns.
    Everything slow is done in the courier's own thread.
    """

    def __init__(self, outbox: Outbox, send: Send, store: Store, log: Any) -> None:
        self.name = outbox.receiver.name
        self._outbox = outbox
        self._send = send
        self._store = store
        self._log = log
        self._changed = threading.Condition()
        self._stopping = False
        self._unwritten: list[Row] = []
        self._thread = threading.Thread(target=self._run, name=f"to-{self.name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End after the message under way; what is outstanding is in the store."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def key(self, message: Message) -> str:
        """Where the store keeps a message."""
        return f"{KEY}{self.name}/{message.id}"

    def resume(self, values: Iterable[str]) -> None:
        """Take up what an earlier process had not delivered."""
        messages = []
        for value in values:
            try:
                messages.append(Message.from_json(value))
            except (ValueError, KeyError, TypeError) as error:
                self._log.error("delivery", receiver=self.name, unreadable=repr(error))
        self._outbox.resume(messages)

    def knows(self, ward: str, alarms: Iterable[Alarm]) -> None:
        """It was told of these alarms before the restart, as far as they concern it."""
        self._outbox.knows(ward, alarms, now_ns())

    def note(self, ward: str, bed: str, label: str, transition: Transition) -> list[Row]:
        """Take a transition; the rows that make its message survive a restart."""
        with self._changed:
            message = self._outbox.note(ward, bed, transition, label)
            if message is None:
                return []
            given_up = self._outbox.overflow()
            self._changed.notify()
        rows: list[Row] = [StateRow(self.key(message), message.to_json())]
        for old in given_up:
            self._log.error("delivery", receiver=self.name, given_up=old.id, reason="too many wait")
            rows.append(StateRow(self.key(old), None))
        return rows

    def is_stuck(self, now: int) -> bool:
        """Nothing arrives."""
        with self._changed:
            return self._outbox.is_stuck(now)

    @property
    def waiting(self) -> int:
        """Messages that are outstanding."""
        with self._changed:
            return len(self._outbox.waiting)

    # -- in the courier's thread -----------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                message = None if self._stopping else self._outbox.due(now_ns())
                if message is None:
                    if self._stopping:
                        return
                    self._changed.wait(IDLE_S)
                    continue
            try:
                self._deliver(message)
            except Exception:  # a fault of ours at one message must not stop those that follow
                self._log.exception("fault", receiver=self.name, message=message.id)
                with self._changed:
                    self._outbox.failed(now_ns())

    def _deliver(self, message: Message) -> None:
        is_late = message.is_late(now_ns())
        try:
            self._send(message, is_late)
        except NotDelivered as error:
            with self._changed:
                self._outbox.failed(now_ns())
                failures = self._outbox.failures
            if failures in (1, 5) or failures % 60 == 0:  # an hour of tries: one line
                self._log.warning(
                    "delivery", receiver=self.name, failures=failures, reason=str(error)
                )
            return
        except Refused as error:
            self._log.error("delivery", receiver=self.name, refused=message.id, reason=str(error))
            self._settle(message, "refused", str(error))
            return
        self._settle(message, "delivered", "late" if is_late else "in time")

    def _settle(self, message: Message, action: str, detail: str) -> None:
        """It is no longer outstanding."""
        with self._changed:
            self._outbox.confirmed(message)
        now = now_ns()
        after_s = (now - message.created_ns) / 1e9
        self._write(
            [
                StateRow(self.key(message), None),
                AuditRow(now, self.name, action, f"{message.id} after {after_s:.3f} s, {detail}"),
            ]
        )

    def _write(self, rows: list[Row]) -> None:
        """Rows, with those that could not be written before; lost, a message comes twice."""
        with self._changed:
            rows, self._unwritten = self._unwritten + rows, []
        try:
            token = self._store.append(rows)
        except StoreError:
            self._keep(rows)
            return
        token.on_durable(_keep_failed(rows, self._keep))

    def _keep(self, rows: list[Row]) -> None:
        with self._changed:
            self._unwritten = rows + self._unwritten


def _keep_failed(rows: list[Row], keep: Callable[[list[Row]], None]) -> Callable[[Token], None]:
    def settled(token: Token) -> None:
        if token.error is not None:
            keep(rows)

    return settled
