"""What the alarm engine is told of a stream's findings."""

import numpy as np

from ecg import BEAT, EPISODE, Findings
from ecg.clock import NS, Timeline
from telerhythm.events import EcgStream

T0 = 1_750_000_000 * NS


def beats(*samples, aami="Q"):
    rows = np.zeros(len(samples), BEAT)
    rows["sample"], rows["aami"] = samples, ord(aami)
    return rows


def stream_at(t_ns):
    timeline = Timeline(250.0)
    timeline.anchor(0, t_ns)
    return EcgStream(timeline, ("II",))


def test_findings_get_their_times_and_classes_come_along():
    event = stream_at(T0).tell(
        Findings(beats(500), classified=beats(250, aami="V"), through_sample=750, quiet_sample=875)
    )
    assert event.beats["t_ns"].tolist() == [T0 + 2 * NS, T0 + NS]
    assert [chr(c) for c in event.beats["aami"]] == ["Q", "V"]
    assert (event.through_ns, event.quiet_ns) == (T0 + 3 * NS, T0 + 3 * NS + NS // 2)
    assert event.leads == ("II",)


def test_a_beat_keeps_its_time_when_its_class_comes_and_the_clock_was_corrected():
    """The engine knows it again by its time."""
    stream = stream_at(T0)
    told = stream.tell(Findings(beats(250))).beats["t_ns"][0]
    stream.timeline.anchor(200, T0 + 2 * NS)
    again = stream.tell(Findings(classified=beats(250, aami="V"))).beats
    assert again["t_ns"].tolist() == [told]


def test_an_episode_that_goes_on_has_no_end():
    rows = np.zeros(2, EPISODE)
    rows["onset"], rows["end"] = [250, 250], [-1, 500]
    event = stream_at(T0).tell(Findings(episodes=rows))
    assert event.episodes["onset_ns"].tolist() == [T0 + NS, T0 + NS]
    assert event.episodes["end_ns"].tolist() == [-1, T0 + 2 * NS]


def test_only_the_first_event_of_a_stream_begins_anew():
    stream = stream_at(T0)
    assert [stream.tell(Findings()).is_new_stream for _ in range(3)] == [True, False, False]
