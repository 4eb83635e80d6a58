"""Alarms of `telerhythm serve`, from the frame to the person, over its death and back."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from alerts.words import (
    Acknowledge,
    AlarmKind,
    Off,
    PauseAudio,
    SetLimits,
    SwitchOff,
    command_topic,
    encode_command,
)
from ecg import Frame
from ecg.clock import NS, now_ns
from ingest.mqtt import Delivery
from ingest.wire import device_alarm_topic, encode_frame, frame_topic
from ingest.wire_alarm import RaisedAlarm, encode_alarm
from store.sqlite import SqliteReader, SqliteStore
from telerhythm.serve import Server
from telerhythm.settings import Settings

pytestmark = pytest.mark.broker


def flat(serve, seconds, first_seq=0, bed="1"):
    """A line without any beat, as an asystole makes it, of the seconds up to now."""
    begin_ns = now_ns() - seconds * NS
    for i in range(seconds):
        frame = Frame(
            device=f"site/{bed}",
            boot=1,
            seq=first_seq + i,
            t_ns=begin_ns + i * NS,
            fs_hz=250.0,
            leads=("II",),
            lsb_uv=np.full(1, 5.0, np.float32),
            x=np.zeros((1, 250), np.int16),
        )
        serve.link.publish(frame_topic(frame.device), encode_frame(frame))


def command(serve, what, bed="1"):
    serve.link.publish(command_topic("icu", bed), encode_command(what))


def log(serve, kind="asystole"):
    with SqliteReader(serve.store) as reader:
        return [t.phase for t in reader.transitions(0, 2**62, bed="1") if t.kind == kind]


def alarms(serve, kind="asystole", bed="1"):
    return [a for a in serve.alarms[bed].alarms if a.kind == kind] if bed in serve.alarms else []


def test_killed_with_an_active_alarm_it_is_active_again_not_repeated_and_not_lost(
    serve, wait_until
):
    flat(serve, 8)
    wait_until(lambda: alarms(serve) != [], 20.0)
    (before,) = alarms(serve)
    command(serve, SetLimits((("high_bpm", 130),), "dr"))
    command(serve, SwitchOff(AlarmKind.COUPLET, "dr", 5))
    wait_until(lambda: serve.alarms["1"].off != (), 10.0)
    wait_until(lambda: log(serve) == ["raised"], 10.0)
    with SqliteReader(serve.store) as reader:
        wait_until(lambda: len(reader.audit(0, 2**62)) == 2, 10.0)
    serve.kill()
    serve.alarms.clear()
    serve.start()
    wait_until(lambda: serve.is_ready and alarms(serve) != [], 60.0)
    flat(serve, 6, first_seq=8)
    wait_until(lambda: serve.stored() == 14, 20.0)
    assert alarms(serve) == [before]
    assert serve.alarms["1"].off == (Off(AlarmKind.COUPLET, 5, "dr"),)
    assert dict(serve.alarms["1"].limits)["high_bpm"] == 130
    command(serve, Acknowledge(before.id, "nurse", now_ns()))
    wait_until(lambda: alarms(serve)[0].acknowledged_by == "nurse", 10.0)
    serve.stop()
    assert log(serve) == ["raised", "acknowledged"]
    # the same alarm can be followed in the log of the process, by its id
    lines = [line for line in serve.log.splitlines() if before.id in line]
    assert ["phase=raised" in lines[0], "phase=acknowledged" in lines[1]] == [True, True]
    assert "by=nurse" in lines[1]
    with SqliteReader(serve.store) as reader:
        audit = [(row.who, row.action, row.detail) for row in reader.audit(0, 2**62)]
    assert audit == [
        ("dr", "limits", "icu/1 p-1: high_bpm 120 -> 130"),
        ("dr", "switch_off", "icu/1 p-1: couplet"),
    ]


def test_alarms_from_before_and_during_the_death_of_the_broker_are_shown_after(
    broker, serve, wait_until
):
    flat(serve, 8)
    wait_until(lambda: serve.kinds("1") == ["asystole"], 20.0)
    (before,) = alarms(serve)
    broker.kill()  # what it had retained is lost, too
    wait_until(lambda: log(serve, "no_data") == ["raised"], 20.0)
    serve.alarms.clear()
    broker.start()
    wait_until(lambda: serve.kinds("1") == ["asystole", "no_data"], 30.0)
    assert alarms(serve) == [before]
    wait_until(lambda: set(serve.alarms) == {"1", "2", "_system"}, 30.0)
    serve.stop()
    assert log(serve) == ["raised"]  # told once, by one transition


def test_the_sound_is_paused_and_a_new_lethal_alarm_ends_the_pause(serve, wait_until):
    command(serve, PauseAudio("nurse"))
    wait_until(lambda: "1" in serve.alarms and serve.alarms["1"].audio_pause, 10.0)
    assert serve.alarms["1"].audio_pause.by == "nurse"
    flat(serve, 8)
    wait_until(lambda: alarms(serve) != [], 20.0)
    assert serve.alarms["1"].audio_pause is None
    serve.stop()


def test_limits_that_contradict_each_other_are_refused_and_nothing_changes(serve, wait_until):
    wait_until(lambda: "1" in serve.alarms, 10.0)
    before = serve.alarms["1"].limits
    command(serve, SetLimits((("high_bpm", 40),), "dr"))
    command(serve, SetLimits((("low_bpm", 45),), "dr"))
    wait_until(lambda: serve.alarms["1"].limits != before, 10.0)
    assert dict(serve.alarms["1"].limits) == dict(before) | {"low_bpm": 45}
    assert serve.stop()["complaints"] == {"malformed": 1}


def test_a_device_s_own_alarm_is_told_at_once_and_checked(serve, wait_until):
    topic = device_alarm_topic("site/1")
    serve.link.publish(topic, encode_alarm(RaisedAlarm("vfib", now_ns())))
    wait_until(lambda: alarms(serve, "ventricular_fibrillation") != [], 10.0)
    (alarm,) = alarms(serve, "ventricular_fibrillation")
    assert (alarm.about, alarm.priority.label) == ("device", "high")
    serve.link.publish(topic, b"nonsense")
    wait_until(lambda: "verified" in log(serve, "ventricular_fibrillation"), 20.0)
    assert "Checked, undecided" in alarms(serve, "ventricular_fibrillation")[0].text
    assert serve.stop()["complaints"]["malformed"] == 1


class Station:
    """A web server of the ward, which may be away."""

    def __init__(self, port: int = 0) -> None:
        self.taken: list[dict] = []
        self.unsigned = 0
        station = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = f"{self.headers['X-Telerhythm-Timestamp']}.".encode() + body
                expected = hmac.new(b"secret", signed, hashlib.sha256).hexdigest()
                station.unsigned += self.headers["X-Telerhythm-Signature"] != f"sha256={expected}"
                station.taken.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_what_was_not_delivered_when_serve_was_killed_is_delivered_after(
    serve_with, tmp_path, wait_until
):
    station = Station()
    port = station.port
    station.close()  # away
    (tmp_path / "secret").write_text("secret")
    serve = serve_with(
        f'[[alarms.receivers]]\nname = "station"\nwebhook = "http://127.0.0.1:{port}/"\n'
        f'secret_file = "{tmp_path}/secret"\npriority = "high"\n'
    )
    flat(serve, 8)
    wait_until(lambda: log(serve) == ["raised"], 20.0)
    with SqliteReader(serve.store) as reader:
        assert len(reader.states("delivery/station/")) == 1
    serve.kill()
    station = Station(port)
    serve.start()
    wait_until(lambda: station.taken != [], 60.0)
    command(serve, Acknowledge(alarms(serve)[0].id, "nurse", now_ns()))
    wait_until(lambda: len(station.taken) == 2, 20.0)
    assert [(t["kind"], t["phase"], t["by"]) for t in station.taken] == [
        ("asystole", "raised", None),
        ("asystole", "acknowledged", "nurse"),
    ]
    assert station.unsigned == 0
    serve.stop()
    with SqliteReader(serve.store) as reader:
        assert reader.states("delivery/") == {}
        assert [e.action for e in reader.audit(0, 2**62)] == ["delivered", "delivered"]
    station.close()


def test_a_receiver_that_hangs_holds_up_neither_alarms_nor_frames(serve_with, tmp_path, wait_until):
    import socket

    with socket.socket() as deaf:  # takes connections and never answers
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        (tmp_path / "secret").write_text("secret")
        serve = serve_with(
            '[[alarms.receivers]]\nname = "deaf"\n'
            f'webhook = "http://127.0.0.1:{deaf.getsockname()[1]}/"\n'
            f'secret_file = "{tmp_path}/secret"\n'
        )
        flat(serve, 8)
        wait_until(lambda: alarms(serve) != [], 20.0)
        sent_ns = now_ns()
        flat(serve, 8, bed="2")
        wait_until(lambda: alarms(serve, bed="2") != [], 20.0)
        assert now_ns() - sent_ns < 5 * NS  # the courier waits 10 s for its answer
        wait_until(lambda: serve.stored() == 16, 10.0)
        serve.stop()


@pytest.mark.parametrize(("behind_s", "alarm"), [(1.9, False), (3.0, True)])
def test_a_ward_whose_analysis_falls_behind_is_told(broker, tmp_path, behind_s, alarm):
    beds = [{"ward": "icu", "bed": "1", "patient": "p-1", "device": "site/1"}]
    settings = Settings(broker={"port": broker.port}, beds=beds)
    with SqliteStore(tmp_path / "store.sqlite") as store:
        server = Server(settings, store)
        received_ns = now_ns() - round(behind_s * NS)
        server._take_all([Delivery("ward/v1/icu/1/command", b"", received_ns, 0, 0, False)])
        server._tick()
        told = server._desks["icu", "_system"].document(now_ns()).alarms
        assert [a.kind for a in told] == [AlarmKind.OVERLOAD] * alarm
        assert all(a.text.startswith("The analysis is 3 s behind") for a in told)
