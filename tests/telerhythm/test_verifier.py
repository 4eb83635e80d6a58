"""Alarms of devices, checked against waveforms; and pulses that a device streams beside the ECG."""

from __future__ import annotations

import numpy as np
import pytest
import structlog

from alerts.device import Claim, kind_of
from alerts.words import AlarmKind, Phase
from dsp.synth import VF, VT, Asystole, Noise, Sinus, pulse_wave, simulate
from ecg import Frame
from ecg.clock import NS
from ingest.registry import Bed
from store.base import WaveformChunk
from store.sqlite import SqliteStore
from telerhythm.bedside import Bedside
from telerhythm.pulses import split
from telerhythm.verifier import Request, Verifier, judge, unbroken

T0 = 1_772_366_400_000_000_000
FS = 250.0
LSB_UV = 5.0
AMPLIFIER = Noise("muscle", rms_mv=0.005)  # no electrode is ever quite still
SINUS = [Sinus(60, bpm=75)]
TRUE = {
    "asystole": [Sinus(54, bpm=75), Asystole(6)],
    "bradycardia": [Sinus(48, bpm=70), Sinus(12, bpm=35)],
    "tachycardia": [Sinus(45, bpm=80), Sinus(15, bpm=155)],
    "vtach": [Sinus(55, bpm=75), VT(5, bpm=160)],
    "vfib": [Sinus(52, bpm=75), VF(8)],
}


def signal(script, with_pulse=True):
    """(names, millivolts) of two leads and a plethysmogram of a minute."""
    made = simulate(script, leads=["II", "V1"], seed=6, noise=[AMPLIFIER])
    x = [*made.record.x_mv]
    names = ["II", "V1"]
    if with_pulse:
        x.append(pulse_wave(made.truth, FS, made.record.n_samples, noise=0.01))
        names.append("PLETH")
    return tuple(names), np.stack(x)


def frames(script, with_pulse=True, frame_s=0.5):
    names, x = signal(script, with_pulse)
    steps = np.rint(x * 1000 / LSB_UV).astype(np.int16)
    n = round(frame_s * FS)
    lsb_uv = np.full(len(names), LSB_UV, np.float32)
    for seq in range(steps.shape[1] // n):
        piece = np.ascontiguousarray(steps[:, seq * n : (seq + 1) * n])
        t_ns = T0 + round(seq * frame_s * NS)
        yield Frame("site/1", 1, seq, t_ns, FS, names, lsb_uv, piece)


def chunks(script, with_pulse=True):
    return [
        WaveformChunk("p-1", f.device, f.boot, f.seq, f.t_ns, f.fs_hz, f.leads, f.lsb_uv, f.x)
        for f in frames(script, with_pulse)
    ]


def claim(name, at_s=60.0):
    t_ns = T0 + round(at_s * NS)
    return Claim(name, kind_of(name), t_ns, t_ns, t_ns)


@pytest.mark.parametrize("with_pulse", [True, False])
@pytest.mark.parametrize("name", TRUE)
def test_what_the_waveforms_show_is_true_and_sinus_rhythm_is_not(name, with_pulse):
    assert judge(chunks(TRUE[name], with_pulse), claim(name)).outcome == "true"
    verdict = judge(chunks(SINUS, with_pulse), claim(name))
    assert verdict.outcome == "false"
    assert verdict.reason


def test_nothing_after_the_alarm_is_looked_at():
    script = [Sinus(40, bpm=75), Asystole(6), Sinus(14, bpm=75)]
    assert judge(chunks(script), claim("asystole", 46.0)).outcome == "true"
    assert judge(chunks(script), claim("asystole", 38.0)).outcome == "false"


def test_too_little_signal_is_undecided():
    verdict = judge(chunks([Sinus(10, bpm=75)]), claim("asystole", 10.0))
    assert verdict.outcome == "undecided"
    assert "only 10 s of signal" in verdict.reason


def test_only_what_follows_the_last_gap_is_looked_at():
    made = chunks(SINUS)
    assert len(unbroken(made)) == len(made)
    assert unbroken(made[:50] + made[60:]) == made[60:]
    assert unbroken([*chunks(SINUS, with_pulse=False)[:50], *made[50:]]) == made[50:]


def test_the_thread_reads_the_store_and_answers(tmp_path, wait_until):
    with SqliteStore(tmp_path / "s.sqlite", gather_s=0.01) as store:
        verifier = Verifier(store, structlog.get_logger())
        verifier.start()
        store.append(chunks(SINUS)[:100]).wait(5)
        verifier.ask(Request("desk/icu/1", "p-1", claim("asystole")))
        store.append(chunks(SINUS)[100:]).wait(5)  # the rest was still on its way
        answers = []
        wait_until(lambda: answers.extend(verifier.answers()) or answers, 20)
        (answer,) = answers
        assert (answer.key, answer.verdict.outcome) == ("desk/icu/1", "false")
        verifier.stop()


def test_signal_that_never_comes_is_undecided_in_time(tmp_path, wait_until, monkeypatch):
    monkeypatch.setattr("telerhythm.verifier.WAIT_S", 0.3)
    with SqliteStore(tmp_path / "s.sqlite", gather_s=0.01) as store:
        verifier = Verifier(store, structlog.get_logger())
        verifier.start()
        verifier.ask(Request("desk/icu/1", "p-1", claim("asystole")))
        answers = []
        wait_until(lambda: answers.extend(verifier.answers()) or answers, 10)
        assert answers[0].verdict.outcome == "undecided"
        verifier.stop()


@pytest.mark.parametrize(
    ("leads", "ecg", "pulse"),
    [
        (("II", "PLETH", "V5", "ABP"), (0, 2), (1, 3)),
        (("I", "aVR"), (0, 1), ()),
        (("PLETH",), (0,), ()),
    ],
)
def test_leads_that_carry_a_pulse_are_told_by_their_names(leads, ecg, pulse):
    assert split(leads) == (ecg, pulse)


def play(script, *, without_ecg_from_s=None):
    """A bed that streams an ECG and a plethysmogram; the alarms' (kind, phase)."""
    bedside = Bedside(Bed("icu", "1", "p-1", "site/1"), 0)
    told = []
    for frame in frames(script):
        x = frame.x
        if without_ecg_from_s is not None and frame.t_ns >= T0 + without_ecg_from_s * NS:
            x = x.copy()
            x[:2] = 0  # the cable of the ECG is out, the finger's is not
        frame = Frame(frame.device, 1, frame.seq, frame.t_ns, FS, frame.leads, frame.lsb_uv, x)
        told += bedside.take(frame, frame.end_ns).transitions
    return [(t.kind, t.phase) for t in told if t.kind in (AlarmKind.ASYSTOLE, AlarmKind.PAUSE)]


def test_no_asystole_while_the_finger_s_pulse_goes_on():
    assert play(SINUS, without_ecg_from_s=40) == [
        (AlarmKind.PAUSE, Phase.SUPPRESSED),
        (AlarmKind.ASYSTOLE, Phase.SUPPRESSED),
    ]


def test_an_asystole_with_its_pulse_gone_is_told():
    told = play([Sinus(40, bpm=75), Asystole(12)])
    assert (AlarmKind.ASYSTOLE, Phase.RAISED) in told
    assert (AlarmKind.ASYSTOLE, Phase.SUPPRESSED) not in told
