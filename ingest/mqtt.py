"""One connection to the MQTT broker: reconnects by itself, acknowledges when it is told to.

MQTT 3.1.1 through paho-mqtt 2. The clauses below are those of the OASIS standard of 2014.

**What becomes of messages when the connection breaks.** Acknowledgements belong to a connection: a
message that was not acknowledged on it is sent again by the broker on the next one, when the
session is kept (`clean=False`; 4.4). An acknowledgement that comes too late is dropped here, for
its number may by then stand for another message. So a receiver sees a message again rather than
not at all, and must recognise it: `ingest.sequence` does. What this side has published at QoS 1 and
the broker has not acknowledged is sent again, too; QoS 0 is given up while there is no connection.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    MQTTMessageInfo,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

KEEPALIVE_S = 10  # a dead connection is noticed within twice this; a nurse waits 5 s for "no data"
MIN_RECONNECT_S = 1
MAX_RECONNECT_S = 8  # an alarm system must be back soon; the broker is spared a storm
STOP_S = 2.0  # how long the end waits for acknowledgements
FAILURE = 0x80  # return codes from here on refuse a subscription (3.9.3)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the broker delivered it.

    Attributes
    ----------
    topic : str
    payload : bytes
    received_ns : int
        When it came, by this machine's clock, ns UTC.
    qos : int
    mid : int
        Its number on its connection; 0 at QoS 0.
    retained : bool
        It was published before this side subscribed, and kept.
    connection : int
        Which of the link's connections brought it.
    """

    topic: str
    payload: bytes
    received_ns: int
    qos: int
    mid: int
    retained: bool
    connection: int = 0


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, at QoS 1 and retained, when the connection dies unannounced."""

    topic: str
    payload: bytes


class Link:
    """A connection to a broker that is kept up.

    Parameters
    ----------
    host, port : str, int
    client_id : str
        Unique at the broker, which ends the older of two connections with one name. With
        `clean=False` the broker keeps messages for this name.
    subscriptions : sequence of (topic, QoS)
        Made anew on every connection.
    on_message : callable(Delivery), optional
        Called in the network thread: it must not block (`queue.SimpleQueue.put` is what it is
        meant for). A message at QoS 1 is acknowledged by `ack`, by nothing else.
    on_state : callable(bool, str), optional
        Called in the network thread: True when connected and all subscriptions are granted; False
        with the reason when not.
    on_acknowledged : callable(int), optional
        Called in the network thread with the number that `publish` gave a message at QoS 1, when
        the broker has acknowledged it; it may come before `publish` returns.
    will : Will, optional
    username, password : str, optional
    clean : bool
        False: the broker keeps the session, with what comes at QoS 1 while this side is away.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        subscriptions: Sequence[tuple[str, int]] = (),
        on_message: Callable[[Delivery], None] | None = None,
        on_state: Callable[[bool, str], None] | None = None,
        on_acknowledged: Callable[[int], None] | None = None,
        will: Will | None = None,
        username: str | None = None,
        password: str | None = None,
        clean: bool = True,
    ) -> None:
        self._address = (host, port)
        self._subscriptions = list(subscriptions)
        self._tell_message = on_message
        self._tell_state = on_state
        self._tell_acknowledged = on_acknowledged
        self._lock = threading.Lock()  # of the three below
        self._connection = 0
        self._is_connected = False
        self._unacknowledged: set[int] = set()
        self._last: MQTTMessageInfo | None = None  # published at QoS 1
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._uncut = threading.Event()
        self._uncut.set()
        self._client = self._make_client(client_id, clean)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)
        if username is not None:
            self._client.username_pw_set(username, password)

    def start(self) -> None:
        """Connect, and keep connected, in a thread of its own; the broker need not be there yet."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Send what waits to be sent and end the connection in peace: no will, session kept.

        Waits for the acknowledgement of what was published at QoS 1, at most 2 s. Closing a socket
        on which something unread has come in resets the connection, and the broker loses what it
        has not read yet (RFC 1122, 4.2.2.13).
        """
        last = self._last
        if last is not None and self._is_connected:
            # brokers acknowledge in order (4.6); rc may tell that it had to wait for a connection
            last.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
            last.wait_for_publish(STOP_S)
        self._stopping.set()
        self._uncut.set()
        self._client.disconnect()
        self._client.loop_stop()
        self._leave()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until connected with all subscriptions granted; False when the time is over."""
        return self._ready.wait(timeout_s)

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted the connection, as far as is known."""
        return self._is_connected

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> int | None:
        """Hand over a message to be sent, from any thread, without waiting.

        Messages at QoS 1 wait for the connection, at most 65,535 of them (all the numbers there
        are), and are sent in order; one that is published within the milliseconds of a reconnect
        may overtake those that waited.

        Returns
        -------
        int or None
            Number of the message; None when it was not taken: QoS 0 without a connection, or too
            many waiting.
        """
        info = self._client.publish(topic, payload, qos, retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            return None
        if qos == 0 and info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        if qos:
            self._last = info
        return info.mid

    def ack(self, delivery: Delivery) -> None:
        """Acknowledge a message, from any thread; nothing when its connection is gone."""
        with self._lock:
            is_known = delivery.connection == self._connection and self._is_connected
            if is_known and delivery.mid in self._unacknowledged:
                self._unacknowledged.discard(delivery.mid)
                self._client.ack(delivery.mid, delivery.qos)

    def cut(self) -> None:
        """Break the connection as a pulled plug does, until `restore`: for tests of the others."""
        self._uncut.clear()
        sock = cast("socket.socket | None", self._client.socket())
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("nothing to cut: the connection is gone already")

    def restore(self) -> None:
        """Let it connect again after `cut`."""
        self._uncut.set()

    # -- in the network thread -------------------------------------------------------------------

    def _make_client(self, client_id: str, clean: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.reconnect_delay_set(MIN_RECONNECT_S, MAX_RECONNECT_S)
        client.max_inflight_messages_set(0)  # no limit: one more in flight waits for nobody
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _on_pre_connect(self, client: Client, userdata: Any) -> None:
        self._leave()
        self._uncut.wait()
        if self._stopping.is_set():
            raise ConnectionAbortedError("stopped")  # paho takes it for a broker that is away

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._stopping.is_set():
            client.disconnect()
            return
        if reason.is_failure:
            self._say(False, f"the broker refused the connection: {reason}")
            return
        if not self._uncut.is_set():  # cut while it was being made
            self.cut()
            return
        with self._lock:
            self._is_connected = True
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        else:
            self._become_ready()

    def _on_subscribe(
        self,
        client: Client,
        userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        refused = [
            topic
            for (topic, _), reason in zip(self._subscriptions, reasons, strict=False)
            if reason.value >= FAILURE
        ]
        if refused:
            self._say(False, f"the broker refused to subscribe {', '.join(refused)}")
        else:
            self._become_ready()

    def _on_disconnect(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._leave()
        self._say(False, f"the connection has ended: {reason}")

    def _on_connect_fail(self, client: Client, userdata: Any) -> None:
        self._say(False, "no broker answers at {}:{}".format(*self._address))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        received_ns = time.time_ns()
        with self._lock:
            if message.qos:
                self._unacknowledged.add(message.mid)
            connection = self._connection
        delivery = Delivery(
            message.topic,
            bytes(message.payload),
            received_ns,
            message.qos,
            message.mid,
            message.retain,
            connection,
        )
        if self._tell_message is None:
            self.ack(delivery)
            return
        try:
            self._tell_message(delivery)
        except Exception:  # it would end the network thread, and with it all other messages
            log.exception("a message on %s was not taken and is not acknowledged", message.topic)

    def _on_publish(
        self,
        client: Client,
        userdata: Any,
        mid: int,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._tell_acknowledged is not None:
            self._tell_acknowledged(mid)

    def _leave(self) -> None:
        """From now on nothing of the connection so far can be acknowledged."""
        with self._lock:
            self._connection += 1
            self._is_connected = False
            self._unacknowledged.clear()
        self._ready.clear()

    def _become_ready(self) -> None:
        self._ready.set()
        self._say(True, "connected")

    def _say(self, is_ready: bool, reason: str) -> None:
        if self._tell_state is not None:
            self._tell_state(is_ready, reason)


def _send_at_once(client: Client, userdata: Any, sock: Any) -> None:
    # Nagle's algorithm would hold small messages back until the broker answers the one before
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
