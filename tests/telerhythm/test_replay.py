"""`telerhythm replay` against a real broker: what is told is what was sent."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from archive.write import write_record
from ecg import Frame, Record
from ecg.errors import BadFrame
from ingest.mqtt import Link
from ingest.wire import decode_frame, parse_topic
from telerhythm import broker
from telerhythm.cli import app
from telerhythm.commands import replay

HOST = broker.HOST


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of a broker: mosquitto where it is installed, else amqtt."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number = probe.getsockname()[1]
    command = broker.command(number, tmp_path_factory.mktemp("broker"))
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        while not answers(number):
            assert time.monotonic() < deadline, "the broker does not start"
            time.sleep(0.02)
        yield number
        process.terminate()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class Heard:
    """All that comes on the topics of a site."""

    def __init__(self, port: int, site: str) -> None:
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._link = Link(
            HOST,
            port,
            f"test-{site}",
            subscriptions=[(f"ecg/v1/{site}/+/frame", 1)],
            on_message=self._take,
        )

    def _take(self, delivery) -> None:
        self._queue.put((delivery.topic, delivery.payload))
        self._link.ack(delivery)

    def __enter__(self) -> Heard:
        self._link.start()
        assert self._link.wait_ready(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._link.stop()

    def next(self) -> tuple[str, bytes]:
        return self._queue.get(timeout=10)

    def messages(self, n: int) -> list[tuple[str, bytes]]:
        """Exactly `n`: waits for them, and a moment for one too many."""
        found = [self.next() for _ in range(n)]
        time.sleep(0.1)
        assert self._queue.empty()
        return found


def decode(topic: str, payload: bytes) -> Frame:
    site, device, _ = parse_topic(topic)
    return decode_frame(payload, f"{site}/{device}")


@pytest.fixture
def record(tmp_path) -> Path:
    """Four seconds of two leads, whose samples tell their place: 16 frames of 0.25 s."""
    steps = np.arange(800) - 400
    x_mv = (np.stack([steps, -steps]) * 0.005).astype(np.float32)
    return write_record(Record("steps", 200.0, ("II", "V5"), x_mv, lsb_mv=0.005), tmp_path)


def run(*words: object):
    return CliRunner().invoke(app, ["replay", *map(str, words)])


def test_every_sample_of_the_record_arrives(port, record):
    with Heard(port, "whole") as heard:
        result = run(record, "--port", port, "--site", "whole", "--speed", 0, "--json")
        assert result.exit_code == 0
        figures = json.loads(result.stdout)
        messages = heard.messages(figures["published"])
    frames = [decode(*message) for message in messages]
    assert figures["published"] == 16
    assert {frame.device for frame in frames} == {"whole/steps"}
    assert [frame.seq for frame in frames] == list(range(16))
    x_mv = np.concatenate([frame.x * frame.lsb_uv[:, None] / 1000 for frame in frames], axis=1)
    np.testing.assert_allclose(x_mv[0], (np.arange(800) - 400) * 0.005, atol=1e-5)
    np.testing.assert_allclose(x_mv[1], -x_mv[0], atol=1e-6)


def test_one_record_as_several_devices_at_ten_times_real_time(port, record):
    with Heard(port, "many") as heard:
        began = time.monotonic()
        result = run(
            record, "--port", port, "--site", "many", "--devices", 3, "--leads", "V5",
            "--speed", 10, "--frame-s", 1, "--json",
        )  # fmt: skip
        took_s = time.monotonic() - began
        figures = json.loads(result.stdout)
        frames = [decode(*message) for message in heard.messages(12)]
    assert (figures["devices"], figures["published"]) == (3, 12)
    counts = Counter(frame.device for frame in frames)
    assert counts == {"many/steps": 4, "many/steps-2": 4, "many/steps-3": 4}
    assert {frame.leads for frame in frames} == {("V5",)}
    assert took_s > 0.4  # four seconds ten times as fast


def test_misdeeds_are_told_as_they_were_done(port, record):
    words = (
        record, "--port", port, "--site", "wild", "--devices", 8, "--speed", 0, "--json",
        "--drop", 0.1, "--duplicate", 0.1, "--reorder", 0.1, "--malformed", 0.1, "--seed", 3,
        "--restart-every", 2, "--lead-off", "2,1", "--lead-off-lead", 1, "--snr", 10,
    )  # fmt: skip
    with Heard(port, "wild") as heard:
        figures = json.loads(run(*words).stdout)
        n = figures["published"] + figures["duplicated"] + figures["malformed"]
        messages = heard.messages(n)
    frames, n_malformed = [], 0
    for topic, payload in messages:
        try:
            frames.append(decode(topic, payload))
        except BadFrame:
            n_malformed += 1
    keys = Counter((frame.device, frame.boot, frame.seq) for frame in frames)
    assert figures["published"] + figures["dropped_on_purpose"] + figures["malformed"] == 8 * 16
    assert n_malformed == figures["malformed"] > 0
    assert len(keys) == figures["published"]
    assert sum(count - 1 for count in keys.values()) == figures["duplicated"] > 0
    assert len({(device, boot) for device, boot, _ in keys}) == 8 + figures["restarts"] == 16
    off = {(f.device, f.boot, f.seq) for f in frames if f.lead_off}
    assert len(off) == figures["lead_off"] > 0
    assert {f.lead_off for f in frames} == {0, 0b10}
    again = json.loads(run(*words).stdout)
    assert {**again, "late_max_s": 0} == {**figures, "late_max_s": 0}  # same seed, same misdeeds


def test_a_broken_connection_loses_nothing(port, record):
    seqs: set[int] = set()
    with Heard(port, "cut") as heard:
        result = run(
            record, "--port", port, "--site", "cut", "--speed", 4, "--disconnect", "1,0.4", "--json"
        )
        figures = json.loads(result.stdout)
        while len(seqs) < 16:  # those under way at a break come again (MQTT 3.1.1, 4.4)
            seqs.add(decode(*heard.next()).seq)
    assert (figures["disconnects"], figures["published"]) == (3, 16)
    assert seqs == set(range(16))


def test_noise_of_a_record_is_added_at_the_ratio(port, record, tmp_path):
    noise = Record("bw", 100.0, ("noise1",), np.sin(np.arange(1000) / 7)[None].astype(np.float32))
    path = write_record(noise, tmp_path)
    with Heard(port, "noisy") as heard:
        result = run(
            record, "--port", port, "--site", "noisy", "--speed", 0, "--snr", 6, "--noise", path
        )
        assert result.exit_code == 0
        frames = [decode(*message) for message in heard.messages(16)]
    x_mv = np.concatenate([f.x[0] * f.lsb_uv[0] / 1000 for f in frames])
    clean_mv = (np.arange(800) - 400) * 0.005
    ratio_db = 10 * np.log10(clean_mv.var() / (x_mv - clean_mv).var())
    assert ratio_db == pytest.approx(6, abs=0.3)  # over four of the noise's ten seconds


def test_a_record_that_cannot_be_read_does_not_stop_the_others(port, record, tmp_path):
    (tmp_path / "RECORDS").write_text("steps\ngone\n")
    result = run(tmp_path, "--port", port, "--site", "some", "--speed", 0, "--json")
    assert result.exit_code == 1
    assert "gone: no such record" in result.stderr
    assert json.loads(result.stdout)["published"] == 16


def test_ctrl_c_ends_a_loop_with_its_figures(port, record):
    command = [sys.executable, "-m", "telerhythm", "replay", str(record), "--loop", "--json"]
    with (
        Heard(port, "loop") as heard,
        subprocess.Popen(
            [*command, "--port", str(port), "--site", "loop"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        for _ in range(2):
            heard.next()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=15)
    assert process.returncode == 0, stderr
    assert "Ctrl-C ends it" in stderr
    assert json.loads(stdout)["published"] >= 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--disconnect", "5"), "--disconnect '5': two numbers"),
        (("--lead-off", "5,9"), "--lead-off 5,9: spells of 9 s every 5 s"),
        (("--clock-step", "now,3"), "--clock-step 'now,3': two numbers"),
        (("--drop", "0.7", "--malformed", "0.7"), "together at most 1"),
        (("--lead-off-lead", "2"), "lead 2 cannot come off: steps has 2"),
        (("--frame-s", "0"), "frames of 0 s"),
        (("--site", "a/b"), "--site 'a/b'"),
        (("--noise", "bw"), "--noise needs --snr"),
        (("--password-file", "/nowhere"), "--password-file /nowhere: cannot be read"),
    ],
)
def test_wrong_use_is_told_by_option_with_status_2(record, words, told):
    result = run(record, "--port", 1, *words)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("/nowhere/100",), "no such record"),
        (("--snr", "6", "--noise", "/nowhere/bw"), "nowhere/bw"),
    ],
)
def test_a_record_that_is_missing_is_told_with_status_1(record, words, told):
    result = run(record, "--port", 1, *words)
    assert result.exit_code == 1
    assert told in result.stderr


def test_without_a_broker_it_says_what_to_do(record, monkeypatch):
    monkeypatch.setattr(replay, "CONNECT_S", 0.5)
    result = run(record, "--port", 1)
    assert result.exit_code == 1
    assert "start the broker" in result.stderr
