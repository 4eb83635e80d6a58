"""The hub: one connection to the broker, from which all browsers are served."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from functools import cache
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from alerts.words import (
    Acknowledge,
    Command,
    alarm_topic,
    command_topic,
    decode_state,
    encode_command,
    live_topic,
    parse_ward_topic,
)
from dashboard import launch
from dashboard.screens import Screen
from dashboard.ward_state import WardState
from ecg.clock import now_ns
from ecg.live import decode_live

KEEPALIVE_S = 5  # MQTT notices a broker that is gone without a word after 1.5 times this
RECONNECT_S = (1, 4)

log = logging.getLogger(__name__)


class Hub:
    """Takes what `telerhythm serve` publishes; hands signals on, keeps alarms and numbers.

    Parameters
    ----------
    host, port
        Of the MQTT broker. It need not be there yet.
    """

    def __init__(self, host: str, port: int) -> None:
        self.state = WardState()
        self.is_connected = False
        self._address = (host, port)
        self._lock = threading.Lock()
        self._screens: set[Screen] = set()
        client = Client(CallbackAPIVersion.VERSION2, f"telerhythm-dashboard-{secrets.token_hex(6)}")
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client

    def start(self) -> None:
        """Connect, and stay connected, in a thread of the client's own."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()

    def join(self, screen: Screen) -> list[tuple[float, bytes]]:
        """Hand signals to a screen from now on; returns those of the last seconds, with ages."""
        with self._lock:  # so that no chunk falls between the two
            self._screens.add(screen)
            return self.state.history(screen.ward, time.monotonic())

    def leave(self, screen: Screen) -> None:
        """No more for this screen."""
        with self._lock:
            self._screens.discard(screen)

    def acknowledge(self, ward: str, bed: str, alarm_id: str, by: str) -> bool:
        """Send an acknowledgement; False when the broker is away and it was not sent."""
        return self.command(ward, bed, Acknowledge(alarm_id, by, now_ns()))

    def command(self, ward: str, bed: str, command: Command) -> bool:
        """Send a command to `serve`; False when the broker is away and it was not sent."""
        if not self.is_connected:  # sent later it would meet a state that nobody has looked at
            return False
        sent = self._client.publish(command_topic(ward, bed), encode_command(command), qos=1)
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    # -- in the client's thread ------------------------------------------------------------------

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("the broker refused the dashboard: %s", reason)
            return
        client.subscribe([(alarm_topic("+", "+"), 1), (live_topic("+", "+"), 0)])
        self._set_connected(True)

    def _on_disconnect(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        log.warning("the connection to the broker has ended: %s", reason)
        self._set_connected(False)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        try:
            self.take(message.topic, bytes(message.payload))
        except (KeyError, TypeError, ValueError) as error:  # BadInput is a ValueError
            log.warning("%s: a message that cannot be read: %s", message.topic, error)

    def take(self, topic: str, payload: bytes) -> None:
        """Handle one message of the broker.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is not as `alerts.words` and `ecg.live` have it; nothing has changed then.
        """
        where = parse_ward_topic(topic)
        if where.kind == "live":
            chunk = decode_live(payload)
            if (chunk.ward, chunk.bed) != (where.ward, where.bed):
                raise ValueError(f"the chunk is of {chunk.ward}/{chunk.bed}")
            with self._lock:
                self.state.take_chunk(chunk, payload, time.monotonic())
                screens = [s for s in self._screens if s.ward == where.ward]
            for screen in screens:
                screen.offer(payload)
        elif not payload:  # how MQTT takes a retained message away
            self.state.forget(where.ward, where.bed)
            self._wake(where.ward)
        else:
            alarms = decode_state(payload)
            if (alarms.ward, alarms.bed) != (where.ward, where.bed):
                raise ValueError(f"the alarms are of {alarms.ward}/{alarms.bed}")
            self.state.take_alarms(alarms)
            self._wake(where.ward)

    def _set_connected(self, is_connected: bool) -> None:
        self.is_connected = is_connected
        self._wake()

    def _wake(self, ward: str | None = None) -> None:
        """Have the screens of a ward, or all, told what has changed."""
        with self._lock:
            screens = [s for s in self._screens if ward in (None, s.ward)]
        for screen in screens:
            screen.wake()


@cache
def hub() -> Hub:
    """The hub of this process, for the broker that the environment names; `app` starts it."""
    broker = launch.broker()
    return Hub(broker.host, broker.port)
