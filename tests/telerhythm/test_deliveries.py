"""Alarms by webhook and mail, to real servers: signed, tracked, in order, each by itself."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog

from alerts.engine import Place
from alerts.outbox import Message
from alerts.words import AlarmKind, Phase, Priority, Transition
from ecg.clock import NS, now_ns
from store.sqlite import SqliteStore
from telerhythm.alarm_settings import AlarmSettings
from telerhythm.deliveries import Deliveries
from telerhythm.desk import AlarmDesk
from telerhythm.mail import compose
from telerhythm.webhook import sign

log = structlog.get_logger()
SECRET = b"correct horse"


class Hook:
    """A web server that answers as it is told to, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[dict] = []
        self.requests: list[tuple[dict, bytes]] = []
        self.answers: list[int] = []  # the next ones; then 200
        self.hangs = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                while hook.hangs.is_set():
                    time.sleep(0.01)
                status = hook.answers.pop(0) if hook.answers else 200
                hook.requests.append((dict(self.headers), body))
                if status == 200:
                    hook.taken.append(json.loads(body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/alarms?key=1"

    def close(self) -> None:
        self.hangs.clear()
        self.server.shutdown()
        self.server.server_close()


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP (RFC 5321) as a client needs that sends one mail."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuses: dict[bytes, bytes] = {}
        super().__init__(("127.0.0.1", 0), _Smtp)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Smtp(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        for line in self.rfile:
            verb = line.split()[0].upper() if line.strip() else b""
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"250 taken\r\n")
            elif verb in self.server.refuses:
                self.wfile.write(self.server.refuses[verb] + b"\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def store(tmp_path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.sqlite", gather_s=0.01) as store:
        yield store


def settings(tmp_path, receivers, port=25) -> AlarmSettings:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET + b"\n")
    for receiver in receivers:
        if "webhook" in receiver:
            receiver["secret_file"] = str(secret)
    return AlarmSettings.model_validate({"receivers": receivers, "smtp": {"port": port}})


DESK = AlarmDesk(Place("icu", "3", "Window", device="s/d"), "p-1")


def alarm(number=1, phase=Phase.RAISED, at_ns=None):
    now = at_ns or now_ns()
    kind = AlarmKind.ASYSTOLE
    text = "No heartbeat for 4 s."
    return Transition(f"asystole.{number}", kind, Priority.HIGH, phase, now, now, text)


def post(deliveries, store, *transitions):
    """As serve does: the rows go to the store with the message."""
    rows = [row for t in transitions for row in deliveries.note(DESK, [t])]
    store.append(rows).wait(5)
    return rows


def test_a_webhook_gets_what_happened_signed(hook, store, tmp_path, wait_until):
    deliveries = Deliveries(settings(tmp_path, [{"name": "s", "webhook": hook.url}]), store, log)
    deliveries.start()
    post(deliveries, store, alarm())
    wait_until(lambda: store.audit(0, 2**62) != [], 5)
    (told,) = hook.taken
    assert (told["ward"], told["bed"], told["label"]) == ("icu", "3", "Window")
    assert (told["kind"], told["phase"], told["priority"]) == ("asystole", "raised", "high")
    assert told["late"] is False
    headers, body = hook.requests[0]
    sent_s = headers["X-Telerhythm-Timestamp"]
    assert headers["X-Telerhythm-Signature"] == f"sha256={sign(SECRET, sent_s, body)}"
    assert abs(int(sent_s) - time.time()) < 60
    assert headers["X-Telerhythm-Delivery"] == told["delivery"]
    assert store.states("delivery/") == {}
    (entry,) = store.audit(0, 2**62)
    assert (entry.who, entry.action) == ("s", "delivered")
    deliveries.stop()


def test_what_fails_is_sent_again_in_order(hook, store, tmp_path, wait_until):
    hook.answers = [500, 302, 429]
    deliveries = Deliveries(settings(tmp_path, [{"name": "s", "webhook": hook.url}]), store, log)
    deliveries.start()
    post(deliveries, store, alarm(1), alarm(2), alarm(1, Phase.ACKNOWLEDGED))
    assert len(store.states("delivery/s/")) > 0
    wait_until(lambda: len(hook.taken) == 3, 20)
    told = [(t["alarm_id"], t["phase"]) for t in hook.taken]
    assert told == [
        ("asystole.1", "raised"),
        ("asystole.2", "raised"),
        ("asystole.1", "acknowledged"),
    ]
    assert len({headers["X-Telerhythm-Delivery"] for headers, _ in hook.requests[:4]}) == 1
    deliveries.stop()


def test_a_message_that_is_wrong_does_not_hold_up_those_behind_it(
    hook, store, tmp_path, wait_until
):
    hook.answers = [400]
    deliveries = Deliveries(settings(tmp_path, [{"name": "s", "webhook": hook.url}]), store, log)
    deliveries.start()
    post(deliveries, store, alarm(1), alarm(2))
    wait_until(lambda: len(store.audit(0, 2**62)) == 2, 10)
    assert [e.action for e in store.audit(0, 2**62)] == ["refused", "delivered"]
    deliveries.stop()


def test_a_receiver_that_hangs_delays_no_other_and_nobody_who_watches(
    hook, mail, store, tmp_path, wait_until
):
    hook.hangs.set()
    receivers = [{"name": "s", "webhook": hook.url}, {"name": "m", "email": "n@example.org"}]
    deliveries = Deliveries(settings(tmp_path, receivers, mail.port), store, log)
    deliveries.start()
    began_s = time.monotonic()
    for i in range(3):
        deliveries.note(DESK, [alarm(i)])
    assert time.monotonic() - began_s < 0.2
    wait_until(lambda: len(mail.mails) == 3, 10)
    assert hook.taken == []
    hook.hangs.clear()
    wait_until(lambda: len(hook.taken) == 3, 10)
    deliveries.stop()


def test_a_mail_says_it_all_in_its_subject(mail, store, tmp_path, wait_until):
    receivers = [{"name": "m", "email": "n@example.org"}]
    deliveries = Deliveries(settings(tmp_path, receivers, mail.port), store, log)
    deliveries.start()
    post(deliveries, store, alarm())
    wait_until(lambda: mail.mails != [], 10)
    (text,) = mail.mails
    assert "Subject: [HIGH] icu bed 3: asystole raised" in text
    assert "To: n@example.org" in text
    assert "No heartbeat for 4 s." in text
    deliveries.stop()


@pytest.mark.parametrize(
    ("answer", "actions"), [(b"550 no such user", ["refused"]), (b"451 later", [])]
)
def test_an_address_that_is_wrong_is_given_up_a_server_that_is_busy_is_not(
    mail, store, tmp_path, wait_until, answer, actions
):
    mail.refuses[b"RCPT"] = answer
    receivers = [{"name": "m", "email": "n@example.org"}]
    deliveries = Deliveries(settings(tmp_path, receivers, mail.port), store, log)
    deliveries.start()
    post(deliveries, store, alarm())
    if actions:
        wait_until(lambda: [e.action for e in store.audit(0, 2**62)] == actions, 10)
    else:
        time.sleep(0.3)
        assert len(store.states("delivery/")) == 1
        mail.refuses.clear()
        wait_until(lambda: len(mail.mails) == 1, 10)
    deliveries.stop()


def test_what_is_outstanding_survives_a_restart_and_comes_late(hook, store, tmp_path, wait_until):
    config = settings(tmp_path, [{"name": "s", "webhook": hook.url}])
    first = Deliveries(config, store, log)  # never started: as if killed at once
    long_ago = now_ns() - 100 * NS
    post(first, store, alarm(1, at_ns=long_ago), alarm(2, at_ns=long_ago + NS))
    second = Deliveries(config, store, log)
    second.resume(store.states(), [])
    second.start()
    post(second, store, alarm(3))
    wait_until(lambda: len(hook.taken) == 3, 10)
    assert [(t["alarm_id"], t["late"]) for t in hook.taken] == [
        ("asystole.1", True),
        ("asystole.2", True),
        ("asystole.3", False),
    ]
    wait_until(lambda: store.states("delivery/") == {}, 5)
    second.stop()


def test_a_receiver_that_is_away_is_told_to_the_ward(store, tmp_path, wait_until, free_port):
    url = f"http://127.0.0.1:{free_port}/"
    deliveries = Deliveries(settings(tmp_path, [{"name": "s", "webhook": url}]), store, log)
    deliveries.start()
    post(deliveries, store, alarm(at_ns=now_ns() - 70 * NS))
    wait_until(lambda: deliveries.stuck(now_ns()) != [], 10)
    ((name, sentence),) = deliveries.stuck(now_ns())
    assert name == "s"
    assert "cannot be told of alarms" in sentence
    deliveries.stop()


def test_messages_of_a_receiver_that_is_gone_are_named(store, tmp_path):
    told = []

    class Log:
        def warning(self, event, **words):
            told.append((event, words))

    deliveries = Deliveries(AlarmSettings(), store, Log())
    deliveries.resume({"delivery/old/1": "{}"}, [])
    assert told == [("delivery", {"receiver": "old", "reason": "no longer in the settings"})]


def test_a_late_mail_says_so():
    body = {
        "ward": "icu", "bed": "3", "label": "", "priority": "high", "kind": "asystole",
        "phase": "raised", "text": "No heartbeat.", "time": "t", "rule": None, "by": None,
        "alarm_id": "a.1",
    }  # fmt: skip
    mail = compose(Message("1", 0, json.dumps(body)), True, "a@b", "c@d")
    assert mail["Subject"].startswith("[LATE HIGH] icu bed 3: asystole")
    assert "could not be sent when it was made" in mail.get_content()


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
