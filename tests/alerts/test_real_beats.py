"""Real beats, as cardiologists marked them, through the engine; beside it the rules, plainly."""

import os
from pathlib import Path

import pytest
import wfdb

from alerts import rules
from alerts.words import LETHAL, AlarmKind, Phase
from ecg.codes import AAMI_CLASS

DATA = os.environ.get("TELERHYTHM_DATA")
BEATS = "NLRBAaJSVrFejnE/fQ!"  # ! is a wave of ventricular flutter
FS_HZ = 360


def plainly(beats_ns):
    """Every moment at which a rule begins to hold, by going through all beats for each rule."""
    began = set()
    for kind, n, holds in (
        (AlarmKind.EXTREME_BRADYCARDIA, 5, rules.extreme_bradycardia),
        (AlarmKind.EXTREME_TACHYCARDIA, 17, rules.extreme_tachycardia),
    ):
        windows = [beats_ns[i - n : i] for i in range(n, len(beats_ns) + 1)]
        held = [holds(window) for window in windows]
        for before, now, window in zip([False, *held], held, windows, strict=False):
            if now and not before:
                began.add((kind, window[-1]))
    return began


@pytest.mark.skipif(not DATA, reason="TELERHYTHM_DATA is not set: no real records")
@pytest.mark.parametrize("record", ["201", "203", "205", "209", "230"])
def test_real_beats_raise_what_the_rules_say_and_nothing_else(bed, findings, record):
    path = Path(DATA or "") / "mitdb" / record
    if not path.with_suffix(".atr").exists():
        pytest.skip(f"{path}.atr is not there")
    marks = wfdb.rdann(str(path), "atr")
    times_s = [
        s / FS_HZ for s, mark in zip(marks.sample, marks.symbol, strict=True) if mark in BEATS
    ]
    for second in range(1805):
        bed.take(
            findings.analysed(second, second + 1, [t for t in times_s if second <= t < second + 1])
        )
    raised = {(t.kind, t.t_ns) for t in bed.log if t.phase is Phase.RAISED and t.kind in LETHAL}
    assert AlarmKind.ASYSTOLE not in {kind for kind, _ in raised}
    assert raised == plainly([findings.ns(t) for t in times_s])


def plainly_ventricular(beats):
    """When five or more ventricular beats in a row are above 100/min, from scratch each time."""
    began, held = [], False
    others = 0
    for i in range(len(beats)):
        last = beats[max(0, i - 4) : i + 1]
        others = 0 if beats[i][1] == "V" else others + 1
        is_row = len(last) == 5 and all(c == "V" for _, c in last)
        if is_row and rules.rate_bpm([t for t, _ in last]) > 100:
            if not held:
                began.append(last[-1][0])
            held = True
        elif others == 3 or is_row:  # three others, or a row that has become slow
            held = False
    return began


@pytest.mark.skipif(not DATA, reason="TELERHYTHM_DATA is not set: no real records")
@pytest.mark.parametrize("record", ["200", "203", "205", "207", "223", "233"])
def test_real_classes_raise_the_ventricular_tachycardias_and_no_others(bed, findings, record):
    path = Path(DATA or "") / "mitdb" / record
    if not path.with_suffix(".atr").exists():
        pytest.skip(f"{path}.atr is not there")
    marks = wfdb.rdann(str(path), "atr")
    beats = [
        (s / FS_HZ, AAMI_CLASS.get(mark, "Q"))
        for s, mark in zip(marks.sample, marks.symbol, strict=True)
        if mark in BEATS
    ]
    for second in range(1805):
        now = [(t, c) for t, c in beats if second <= t < second + 1]
        letters = "".join(c for _, c in now) or "Q"
        bed.take(findings.analysed(second, second + 1, [t for t, _ in now], aami=letters))
    kind = AlarmKind.VENTRICULAR_TACHYCARDIA
    raised = [t.t_ns for t in bed.log if t.kind is kind and t.phase is Phase.RAISED]
    plain = plainly_ventricular([(findings.ns(t), "V" if c == "V" else "n") for t, c in beats])
    if any(c == "Q" for _, c in beats):  # a class that is not known ends nothing
        assert set(raised) <= set(plain)
    else:
        assert raised == plain
