"""The link: what is delivered, acknowledged, sent again, kept and lost."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from ingest.mqtt import MIN_RECONNECT_S, Delivery, Link, Will

pytestmark = pytest.mark.broker
TOPIC = "ecg/v1/a/b/frame"


class Server:
    """A link with a session that is kept, as serve has it; what comes waits in a queue."""

    def __init__(self, broker, client_id: str = "server") -> None:
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self.states: list[tuple[bool, str]] = []
        self.link = Link(
            broker.host,
            broker.port,
            client_id,
            subscriptions=[("ecg/#", 1)],
            on_message=self._queue.put,
            on_state=lambda is_ready, reason: self.states.append((is_ready, reason)),
            clean=False,
        )

    def start(self) -> Server:
        self.link.start()
        assert self.link.wait_ready(20.0)
        return self

    def take(self, n: int = 1) -> list[Delivery]:
        return [self._queue.get(timeout=20.0) for _ in range(n)]

    def take_payloads(self, n: int) -> list[bytes]:
        return [delivery.payload for delivery in self.take(n)]

    def has_no_more(self, for_s: float = 0.3) -> bool:
        time.sleep(for_s)
        return self._queue.empty()


@pytest.fixture
def server(broker):
    server = Server(broker).start()
    yield server
    server.link.stop()


@pytest.fixture
def device(broker):
    link = Link(broker.host, broker.port, "device", will=Will("ecg/v1/a/b/status", b"gone"))
    link.start()
    assert link.wait_ready(20.0)
    yield link
    link.stop()


def reconnect(server: Server) -> None:
    server.link.cut()
    server.link.restore()
    deadline = time.monotonic() + 5.0
    while len([1 for is_ready, _ in server.states if is_ready]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_messages_come_in_order_with_their_quality_of_service(server, device):
    before_ns = time.time_ns()
    numbers = [device.publish(TOPIC, b"%d" % i) for i in range(50)]
    device.publish(TOPIC, b"quick", qos=0)
    deliveries = server.take(51)
    assert [d.payload for d in deliveries[:50]] == [b"%d" % i for i in range(50)]
    assert len(set(numbers)) == 50
    assert [d.qos for d in deliveries] == [1] * 50 + [0]
    assert all(d.topic == TOPIC and not d.retained for d in deliveries)
    assert all(before_ns <= d.received_ns <= time.time_ns() for d in deliveries)


def test_publisher_hears_of_each_acknowledgement_once(broker):
    heard: queue.SimpleQueue[int] = queue.SimpleQueue()
    link = Link(broker.host, broker.port, "device", on_acknowledged=heard.put)
    link.start()
    assert link.wait_ready(20.0)
    numbers = [link.publish(TOPIC, b"x") for _ in range(200)]
    assert [heard.get(timeout=20.0) for _ in numbers] == numbers
    link.stop()
    assert heard.empty()


def test_unacknowledged_messages_come_again_on_the_next_connection(server, device):
    for i in range(6):
        device.publish(TOPIC, b"%d" % i)
    first = server.take(6)
    for delivery in first[:2]:
        server.link.ack(delivery)
    time.sleep(0.2)  # until the acknowledgements have gone out
    reconnect(server)
    again = server.take(4)
    assert [d.payload for d in again] == [b"2", b"3", b"4", b"5"]
    assert {d.connection for d in again}.isdisjoint({d.connection for d in first})


def test_late_acknowledgement_settles_nothing_on_the_new_connection(server, device):
    device.publish(TOPIC, b"old")
    (old,) = server.take()
    reconnect(server)
    (again,) = server.take()
    assert again.mid == old.mid  # so that it could be taken for it
    server.link.ack(old)
    time.sleep(0.2)
    server.link.cut()
    server.link.restore()
    assert server.take_payloads(1) == [b"old"]


def test_acknowledging_twice_settles_one_message(server, device):
    device.publish(TOPIC, b"1")
    (one,) = server.take()
    server.link.ack(one)
    server.link.ack(one)
    assert server.link.is_connected
    device.publish(TOPIC, b"2")
    assert server.take_payloads(1) == [b"2"]


def test_acknowledgements_from_many_threads(server, device):
    for i in range(400):
        device.publish(TOPIC, b"%d" % i)
    deliveries = server.take(400)
    threads = [
        threading.Thread(target=lambda part=part: [server.link.ack(d) for d in part])
        for part in (deliveries[i::4] for i in range(4))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.3)
    reconnect(server)
    assert server.has_no_more()


def test_broker_keeps_messages_while_the_server_is_away(server, device, broker):
    server.link.stop()
    for i in range(5):
        device.publish(TOPIC, b"%d" % i)
    back = Server(broker).start()
    assert back.take_payloads(5) == [b"0", b"1", b"2", b"3", b"4"]
    back.link.stop()


def test_unacknowledged_messages_survive_a_restart_of_the_broker(server, device, broker):
    for i in range(4):
        device.publish(TOPIC, b"%d" % i)
    for delivery in server.take(4)[:1]:
        server.link.ack(delivery)
    time.sleep(0.2)
    broker.stop()
    device.publish(TOPIC, b"taken while the broker was away")
    broker.start()
    again = server.take(5)  # the dying connection of the device set off its will, too
    payloads = [d.payload for d in again if d.topic == TOPIC]
    assert payloads[:3] == [b"1", b"2", b"3"]
    assert b"taken while the broker was away" in {
        *payloads,
        *server.take_payloads(5 - len(payloads)),
    }


def test_everybody_is_back_after_the_broker_was_killed(server, device, broker, wait_until):
    broker.kill()
    wait_until(lambda: not server.link.is_connected and not device.is_connected, 3.0)
    assert not server.link.wait_ready(0)
    broker.start()
    assert server.link.wait_ready(20.0)
    assert device.wait_ready(20.0)
    device.publish(TOPIC, b"after")
    assert b"after" in server.take_payloads(1)


def test_broker_may_come_after_its_clients(stopped_broker):
    server = Server(stopped_broker)
    server.link.start()
    assert not server.link.wait_ready(0.2)
    assert not server.states[0][0]
    assert "no broker answers" in server.states[0][1]
    stopped_broker.start()
    assert server.link.wait_ready(20.0)
    server.link.stop()


def test_will_is_published_when_the_plug_is_pulled_only(server, device, broker):
    device.cut()
    (will,) = server.take()
    assert (will.topic, will.payload) == ("ecg/v1/a/b/status", b"gone")
    device.stop()

    polite = Link(broker.host, broker.port, "polite", will=Will("ecg/v1/a/c/status", b"gone"))
    polite.start()
    assert polite.wait_ready(20.0)
    polite.stop()
    assert server.has_no_more()


def test_cut_lasts_until_restore(device, wait_until):
    device.cut()
    wait_until(lambda: not device.is_connected, 3.0)  # as with a pulled plug, it is noticed
    assert not device.wait_ready(2 * MIN_RECONNECT_S)
    device.restore()
    assert device.wait_ready(3.0)


def test_retained_message_is_marked(broker, server, device):
    device.publish("ecg/v1/a/b/status", b"here", retain=True)
    (heard,) = server.take()
    late = Server(broker, "late").start()
    (kept,) = late.take()
    assert (heard.retained, heard.payload) == (False, b"here")
    assert (kept.retained, kept.payload) == (True, b"here")
    late.link.stop()


def test_without_a_connection_quick_messages_are_given_up_others_wait(stopped_broker):
    link = Link(stopped_broker.host, stopped_broker.port, "device")
    link.start()
    assert link.publish(TOPIC, b"lost", qos=0) is None
    assert link.publish(TOPIC, b"kept") is not None
    stopped_broker.start()
    server = Server(stopped_broker).start()
    assert server.take_payloads(1) == [b"kept"]
    server.link.stop()
    link.stop()


def test_receiver_that_fails_does_not_end_the_connection(broker, device):
    seen: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def fail_once(delivery: Delivery) -> None:
        seen.put(delivery.payload)
        if delivery.payload == b"bad":
            raise ValueError("fault of the receiver")

    link = Link(
        broker.host, broker.port, "fails", subscriptions=[("ecg/#", 1)], on_message=fail_once
    )
    link.start()
    assert link.wait_ready(20.0)
    device.publish(TOPIC, b"bad")
    device.publish(TOPIC, b"good")
    assert [seen.get(timeout=20.0) for _ in range(2)] == [b"bad", b"good"]
    link.stop()


def test_stop_sends_what_was_published_before(server, broker):
    link = Link(broker.host, broker.port, "brief")
    link.start()
    assert link.wait_ready(20.0)
    for i in range(300):
        link.publish(TOPIC, b"%d" % i)
    link.stop()
    assert server.take_payloads(300)[-1] == b"299"


def test_stop_without_start_or_broker_returns(stopped_broker):
    Link(stopped_broker.host, stopped_broker.port, "never").stop()
    away = Link(stopped_broker.host, stopped_broker.port, "away")
    away.start()
    away.publish(TOPIC, b"waits for ever")
    began_s = time.monotonic()
    away.stop()
    assert time.monotonic() - began_s < 3.0
