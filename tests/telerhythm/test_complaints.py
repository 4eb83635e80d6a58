"""Complaints: all are counted, one a minute a subject is told."""

from telerhythm.complaints import INTERVAL_NS, Complaints


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, kind, **words):
        self.lines.append((kind, words["topic"], words["since_last"]))


def test_a_flood_is_counted_but_told_once_a_minute():
    log = Log()
    complaints = Complaints(log)
    for i in range(100):
        complaints.add("malformed", "a/frame", "not CBOR", now_ns=i * 10**9)
    assert complaints.counts == {"malformed": 100}
    assert log.lines == [("malformed", "a/frame", 0), ("malformed", "a/frame", 59)]


def test_another_device_and_another_kind_are_told_at_once():
    log = Log()
    complaints = Complaints(log)
    for kind, topic in [("malformed", "a"), ("malformed", "b"), ("lost", "a")]:
        complaints.add(kind, topic, "why", now_ns=0)
    assert len(log.lines) == 3


def test_frames_are_counted_not_calls():
    complaints = Complaints(Log())
    complaints.add("lost", "a", "gap", now_ns=0, times=12)
    assert complaints.counts["lost"] == 12


def test_a_clock_that_steps_back_does_not_silence_the_log():
    log = Log()
    complaints = Complaints(log)
    complaints.add("lost", "a", "gap", now_ns=10 * INTERVAL_NS)
    complaints.add("lost", "a", "gap", now_ns=0)
    assert len(log.lines) == 2
