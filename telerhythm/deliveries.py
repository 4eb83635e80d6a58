"""All receivers of alarms: who they are, by which way, and what each has yet to confirm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alerts.outbox import Outbox
from alerts.words import Transition
from store.base import Row, Store
from telerhythm.alarm_settings import AlarmSettings, ReceiverSettings, read_secret
from telerhythm.courier import KEY, Courier, Send
from telerhythm.desk import AlarmDesk


class Deliveries:
    """The couriers of `serve`, one a receiver.

    Raises
    ------
    BadSetting
        If a secret cannot be read: names the key.
    """

    def __init__(self, settings: AlarmSettings, store: Store, log: Any) -> None:
        self._log = log
        self._couriers = [
            Courier(Outbox(r.receiver()), way(r, settings), store, log) for r in settings.receivers
        ]

    def resume(self, states: dict[str, str], desks: Iterable[AlarmDesk]) -> None:
        """Take up what an earlier process had not delivered, and who was told of what."""
        for courier in self._couriers:
            prefix = f"{KEY}{courier.name}/"
            courier.resume(value for key, value in states.items() if key.startswith(prefix))
            for desk in desks:
                courier.knows(desk.place.ward, desk.state.alarms)
        names = {courier.name for courier in self._couriers}
        for name in {key.split("/")[1] for key in states if key.startswith(KEY)} - names:
            self._log.warning("delivery", receiver=name, reason="no longer in the settings")

    def start(self) -> None:
        """Begin to send."""
        for courier in self._couriers:
            courier.start()

    def stop(self) -> None:
        """End; what is outstanding is sent after the next start."""
        for courier in self._couriers:
            courier.stop()

    def note(self, desk: AlarmDesk, transitions: Sequence[Transition]) -> list[Row]:
        """Tell whom it concerns; the rows that make the messages survive a restart."""
        place = desk.place
        return [
            row
            for transition in transitions
            for courier in self._couriers
            for row in courier.note(place.ward, place.bed, place.label, transition)
        ]

    def stuck(self, now: int) -> list[tuple[str, str]]:
        """Receivers that are not reached: name, and a sentence for the ward."""
        return [
            (
                courier.name,
                f"{courier.name} cannot be told of alarms: {courier.waiting} messages wait."
                " Check its address and the network, and tell it in person.",
            )
            for courier in self._couriers
            if courier.is_stuck(now)
        ]


def way(receiver: ReceiverSettings, settings: AlarmSettings) -> Send:
    """How messages reach a receiver."""
    # imported where they are used: most wards have neither, and both are slow to import
    if receiver.webhook is not None and receiver.secret_file is not None:
        from telerhythm.webhook import Webhook

        secret = read_secret(receiver.secret_file, f"alarms.receivers {receiver.name}.secret_file")
        return Webhook(receiver.webhook, secret)
    from telerhythm.mail import Mail

    smtp = settings.smtp
    password = None
    if smtp.password_file is not None:
        password = read_secret(smtp.password_file, "alarms.smtp.password_file")
    return Mail(receiver.email or "", smtp, password)
