"""Real beats, as cardiologists marked them, through the engine; beside it the rules, plainly."""

import os
from pathlib import Path

import pytest
import wfdb

from alerts import rules
from alerts.words import AlarmKind, Phase

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
    raised = {(t.kind, t.t_ns) for t in bed.log if t.phase is Phase.RAISED}
    assert AlarmKind.ASYSTOLE not in {kind for kind, _ in raised}
    assert raised == plainly([findings.ns(t) for t in times_s])
