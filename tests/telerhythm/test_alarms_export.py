"""`telerhythm alarms export`: figures checked against a plain count."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from ecg.clock import NS
from store.base import TransitionRow
from store.sqlite import SqliteStore
from telerhythm import audit
from telerhythm.cli import app

T0_S = 1_772_366_400  # 2026-03-01T12:00:00Z


def row(alarm_id, phase, at_s, **words):
    fields = {
        "t_ns": round((T0_S + at_s) * NS),
        "noted_ns": round((T0_S + at_s) * NS),
        "ward": "icu",
        "bed": "1",
        "patient": "p-1",
        "alarm_id": alarm_id,
        "kind": alarm_id.split(".")[0],
        "priority": "high",
        "phase": phase,
        "by": None,
        "text": "Text.",
        "evidence": "",
    }
    return TransitionRow(**(fields | words))


ROWS = [
    row("couplet.0", "ended", 1, priority="low"),  # began before: not of this stretch
    row("asystole.1", "raised", 10),
    row("asystole.1", "escalated", 70),
    row("asystole.1", "acknowledged", 80, by="nurse"),
    row("asystole.1", "ended", 90),
    row("asystole.2", "suppressed", 100, text="No heartbeat for 4 s. Not told: 3 pulses in 5.0 s."),
    row("asystole.3", "suppressed", 110, text="No heartbeat for 4 s. Not told: 4 pulses in 4.2 s."),
    row("couplet.4", "raised", 120, priority="low"),
    row("couplet.4", "ended", 130, priority="low"),
    row("asystole.5", "raised", 3700),
    row("asystole.5", "latched", 3705),
    row("asystole.5", "reset", 3720, by="nurse"),
    row("vf.6", "raised", 3800, bed="2"),
    row("vf.6", "verified", 3801, bed="2", text="Checked, true: flat."),
]


@pytest.fixture
def store_path(tmp_path):
    with SqliteStore(tmp_path / "s.sqlite", gather_s=0.01) as store:
        assert store.append(ROWS).wait(5)
    return tmp_path / "s.sqlite"


def export(path, *arguments):
    times = ["--from", "2026-03-01T12:00+00:00", "--to", "2026-03-01T14:00+00:00"]
    return CliRunner().invoke(app, ["alarms", "export", *times, "--store", str(path), *arguments])


def test_a_row_an_alarm(store_path):
    result = export(store_path)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [r["alarm_id"] for r in rows] == [
        "asystole.1",
        "asystole.2",
        "asystole.3",
        "couplet.4",
        "asystole.5",
        "vf.6",
    ]
    first = rows[0]
    assert (first["told"], first["by"]) == ("2026-03-01T12:00:10.000Z", "nurse")
    assert (first["seconds_to_acknowledge"], first["escalated"]) == ("70.0", "True")
    assert first["over"] == "2026-03-01T12:01:30.000Z"
    assert rows[4]["over"] == rows[4]["acknowledged"] == "2026-03-01T13:02:00.000Z"
    assert rows[5]["verdict"] == "Checked, true: flat."
    assert "icu/1: 3 alarms, 1.5 an hour" in result.stderr


def test_sums_a_bed_an_hour_and_why(store_path):
    told = json.loads(export(store_path, "--format", "json").stdout)
    one, two = told["beds"]
    assert (one["raised"], one["high"], one["low"], one["per_hour"]) == (3, 2, 1, 1.5)
    assert (one["acknowledged"], one["median_s_to_acknowledge"]) == (2, 45.0)
    assert (one["escalated"], one["suppressed"], one["share_suppressed"]) == (1, 2, 0.4)
    assert (two["bed"], two["raised"], two["median_s_to_acknowledge"]) == ("2", 1, None)
    assert told["hours"] == [
        {"hour": "2026-03-01T12:00Z", "ward": "icu", "bed": "1", "high": 1, "medium": 0, "low": 1,
         "suppressed": 2},
        {"hour": "2026-03-01T13:00Z", "ward": "icu", "bed": "1", "high": 1, "medium": 0, "low": 0,
         "suppressed": 0},
        {"hour": "2026-03-01T13:00Z", "ward": "icu", "bed": "2", "high": 1, "medium": 0, "low": 0,
         "suppressed": 0},
    ]  # fmt: skip
    assert told["suppressed"] == [
        {"kind": "asystole", "reason": "# pulses in # s.", "alarms": 2},
    ]


def test_one_bed_only(store_path):
    told = json.loads(export(store_path, "--format", "json", "--bed", "2").stdout)
    assert [bed["bed"] for bed in told["beds"]] == ["2"]


def test_a_stretch_without_alarms_is_empty_not_an_error():
    assert audit.records([]) == []
    assert audit.summary([], 0, NS)["beds"] == []


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (["--from", "yesterday", "--to", "2026-03-01"], "--from yesterday: not a time"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "is not after"),
    ],
)
def test_times_that_make_no_sense_are_wrong_use(store_path, times, told):
    result = CliRunner().invoke(app, ["alarms", "export", *times, "--store", str(store_path)])
    assert result.exit_code == 2
    assert told in result.stderr
