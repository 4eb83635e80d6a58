"""What every store promises; `conftest.BACK_ENDS` names those that are held to it."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from ecg.clock import NS
from ecg.errors import StoreError
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS
from store.base import AuditRow, LastFrame, StateRow

ALWAYS = (-(2**62), 2**62)


def put(store, *rows):
    assert store.append(rows).wait(5)


def same(a, b):
    """Equal to the bit, NaN included; bytes of padding are nobody's business."""
    return a.dtype == b.dtype and all(a[n].tobytes() == b[n].tobytes() for n in a.dtype.names)


def test_waveforms_come_back_to_the_bit(store, rows):
    chunks = [rows.chunk(seq=i) for i in range(3)]
    put(store, *chunks)
    back = store.waveform("p1", *ALWAYS)
    for sent, got in zip(chunks, back, strict=True):
        assert np.array_equal(sent.x, got.x)
        assert got.x.dtype == np.int16
        assert np.array_equal(sent.lsb_uv, got.lsb_uv)
        assert got.lsb_uv.dtype == np.float32
        for name in ("patient", "device", "boot", "seq", "t_ns", "fs_hz", "leads", "end_ns"):
            assert getattr(sent, name) == getattr(got, name)


def test_a_stretch_of_waveform_is_all_chunks_that_overlap_it(store, rows):
    put(store, *[rows.chunk(seq=i) for i in range(10)])
    found = store.waveform("p1", round(2.5 * NS), round(4.5 * NS))
    assert [chunk.seq for chunk in found] == [2, 3, 4]
    assert [c.seq for c in store.waveform("p1", 3 * NS, 4 * NS)] == [3]


@pytest.mark.parametrize(
    ("table", "dtype"), [("beats", BEAT), ("vitals", VITALS), ("quality", QUALITY)]
)
def test_findings_come_back_to_the_bit_and_by_time(store, rows, table, dtype):
    sent = getattr(rows, table)([5.0, 3.0, 4.0])
    put(store, sent)
    array = getattr(sent, table)
    back = getattr(store, table)("p1", *ALWAYS)
    assert same(back, array[np.argsort(array["t_ns"], kind="stable")])
    assert same(getattr(store, table)("p1", 4 * NS, 5 * NS), array[array["t_ns"] == 4 * NS])


@pytest.mark.parametrize(
    ("table", "dtype"),
    [("beats", BEAT), ("vitals", VITALS), ("quality", QUALITY), ("episodes", EPISODE)],
)
def test_what_is_not_there_is_an_empty_array(store, table, dtype):
    back = getattr(store, table)("nobody", *ALWAYS)
    assert back.dtype == dtype
    assert back.shape == (0,)


def test_an_episode_that_ends_replaces_the_open_one_and_stays_ended(store, rows):
    put(store, rows.episode(10))
    assert store.episodes("p1", 99 * NS, 100 * NS)["end_ns"].tolist() == [-1]
    put(store, rows.episode(10, end_s=20))
    put(store, rows.episode(10))  # the open one once more, late
    back = store.episodes("p1", *ALWAYS)
    assert same(back, rows.episode(10, end_s=20).episodes)
    assert store.episodes("p1", 20 * NS, 100 * NS).size == 0
    assert store.episodes("p1", 19 * NS, 20 * NS).size == 1


def test_transitions_come_in_the_order_in_which_they_were_noted(store, rows):
    sent = [
        rows.transition(phase="raised", noted_s=1),
        rows.transition(phase="acknowledged", noted_s=2, by="nurse"),
        rows.transition("no_data.1.2", noted_s=2, bed="2"),
    ]
    put(store, *sent)
    assert store.transitions(*ALWAYS) == sent
    assert store.transitions(2 * NS, 3 * NS, ward="icu", bed="1") == [sent[1]]
    assert store.transitions(*ALWAYS, ward="other") == []


def test_audit_entries_come_back(store):
    entries = [AuditRow(2, "me", "limits", "p1: asystole_s 4 → 5"), AuditRow(1, "me", "login")]
    put(store, *entries)
    assert store.audit(*ALWAYS) == entries[::-1]


def test_states_are_what_was_said_last_until_they_are_taken_away(store):
    put(store, StateRow("desk/icu/1", "one"), StateRow("desk/icu/2", "two"))
    put(store, StateRow("desk/icu/1", "three"), StateRow("delivery/x", "né"))
    assert store.states("desk/") == {"desk/icu/1": "three", "desk/icu/2": "two"}
    assert list(store.states()) == ["delivery/x", "desk/icu/1", "desk/icu/2"]
    put(store, StateRow("desk/icu/1", None), StateRow("desk/icu/2", None))
    put(store, StateRow("desk/icu/2", "again"))
    assert store.states("desk/") == {"desk/icu/2": "again"}
    put(store, StateRow("a", "1"), StateRow("a", None), StateRow("a", "2"), StateRow("b", None))
    assert store.states() == {"a": "2", "delivery/x": "né", "desk/icu/2": "again"}
    assert store.states("%") == {}


def test_a_state_is_stored_with_its_rows_or_not_at_all(store, rows):
    bad = store.append([StateRow("k", "v"), object()])
    good = store.append([rows.transition(), StateRow("k", "w")])
    assert good.wait(5)
    with pytest.raises(StoreError):
        bad.wait(5)
    assert store.states() == {"k": "w"}


def test_rows_appended_again_change_nothing(store, rows):
    batch = [
        rows.chunk(),
        rows.beats([1, 2]),
        rows.vitals([1]),
        rows.quality([1]),
        rows.episode(1),
        rows.transition(),
        AuditRow(1, "me", "login"),
    ]
    put(store, *batch)
    before = store.counts()
    put(store, *batch)
    put(store, *batch, rows.chunk(seq=0, t_s=0.5))  # the same frame, its time told otherwise
    assert store.counts() == before
    assert before == {
        "waveform": 1,
        "beats": 2,
        "vitals": 1,
        "quality": 2,
        "episodes": 1,
        "transitions": 1,
        "audit": 1,
    }


def test_patients_are_kept_apart(store, rows):
    put(store, rows.beats([1], "p1"), rows.beats([1, 2], "p2"), rows.chunk("p2", "ward/d2"))
    assert store.beats("p1", *ALWAYS).size == 1
    assert store.beats("p2", *ALWAYS).size == 2
    assert store.waveform("p1", *ALWAYS) == []


def test_an_append_is_stored_whole_or_not_at_all_and_costs_no_other(store, rows):
    good = store.append([rows.beats([1])])
    bad = store.append([rows.beats([2]), object()])
    also_good = store.append([rows.beats([3])])
    assert good.wait(5)
    assert also_good.wait(5)
    with pytest.raises(StoreError, match="not a row"):
        bad.wait(5)
    assert not bad.done
    assert store.beats("p1", *ALWAYS)["t_ns"].tolist() == [1 * NS, 3 * NS]


@pytest.mark.parametrize(
    "spoil",
    [
        {"boot": -1},
        {"boot": 2**64},
        {"seq": 2**63},
        {"t_ns": 2**63 - 1},
        {"x": np.zeros((2, 250), np.float32)},
        {"x": np.zeros((3, 250), np.int16)},
        {"x": np.zeros((2, 250 * 61), np.int16)},
        {"leads": ()},
        {"fs_hz": float("nan")},
        {"fs_hz": 0.0},
        {"patient": "\ud800"},
        {"device": None},
    ],
)
def test_a_chunk_that_makes_no_sense_fails_alone(store, rows, spoil):
    bad = store.append([replace(rows.chunk(), **spoil)])
    good = store.append([rows.chunk(seq=1)])
    assert good.wait(5)
    with pytest.raises(StoreError):
        bad.wait(5)


def test_the_largest_boot_number_comes_back(store, rows):
    put(store, rows.chunk(boot=2**64 - 1, seq=3))
    assert store.waveform("p1", *ALWAYS)[0].boot == 2**64 - 1
    assert store.last_frames()["ward/d1"].boot == 2**64 - 1


def test_last_frames_say_where_each_device_is(store, rows):
    put(store, rows.chunk(seq=4), rows.chunk(seq=5), rows.chunk(device="ward/d2", boot=1, seq=9))
    put(store, rows.chunk(seq=3))  # late
    assert store.last_frames() == {
        "ward/d1": LastFrame(7, 5, 6 * NS),
        "ward/d2": LastFrame(1, 9, 10 * NS),
    }
    put(store, rows.chunk(boot=8, seq=0, t_s=60))  # the device restarted
    assert store.last_frames()["ward/d1"] == LastFrame(8, 0, 61 * NS)


def test_latest_of_many_patients_in_one_call(store, rows):
    put(store, rows.vitals([1, 2]), rows.beats([1.5]), rows.chunk(seq=1))
    put(store, rows.beats([7], "p2"))
    latest = store.latest(["p1", "p2", "nobody", "p1"])
    assert set(latest) == {"p1", "p2"}
    assert latest["p1"].vitals["t_ns"] == 2 * NS
    assert latest["p1"].vitals.dtype == VITALS
    assert latest["p1"].beat_ns == round(1.5 * NS)
    assert latest["p1"].waveform_end_ns == 2 * NS
    assert latest["p2"].vitals is None
    assert latest["p2"].beat_ns == 7 * NS
    assert latest["p2"].waveform_end_ns is None


def test_tokens_call_back_once_also_when_asked_late(store, rows):
    called = []
    token = store.append([rows.beats([1])])
    token.on_durable(called.append)
    assert token.wait(5)
    token.on_durable(called.append)
    store.flush(5)
    assert called == [token, token]
    assert token.done
    assert token.error is None


def test_a_callback_that_fails_costs_nobody_else(store, rows):
    called = []
    store.append([rows.beats([1])]).on_durable(lambda token: token.no_such_word)
    store.append([rows.beats([2])]).on_durable(called.append)
    store.flush(5)
    assert len(called) == 1


def test_flush_waits_for_all_that_came_before(store, rows):
    tokens = [store.append([rows.beats([i])]) for i in range(100)]
    store.flush(5)
    assert all(token.done for token in tokens)
    assert store.beats("p1", *ALWAYS).size == 100


def test_many_threads_may_append(store, rows):
    batches = [[rows.beats([t * 100 + i]) for i in range(50)] for t in range(4)]

    def work(batch):
        for row in batch:
            store.append([row])

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.flush(5)
    assert store.beats("p1", *ALWAYS).size == 200


def test_close_writes_what_waits_and_then_refuses(store, rows):
    token = store.append([rows.beats([1])])
    store.close()
    assert token.done
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append([rows.beats([2])])
    with pytest.raises(StoreError, match="closed"):
        store.beats("p1", *ALWAYS)
