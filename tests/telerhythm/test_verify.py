"""`telerhythm verify-alarms` on simulated records whose truth is known."""

import json

import numpy as np
import pytest
import typer
import wfdb
from typer.testing import CliRunner

from dsp.synth import VF, VT, Asystole, Noise, Sinus, pulse_wave, simulate
from telerhythm.commands.verify import verify_alarms
from telerhythm.verify import verify_path

FS = 250
SINUS = [Sinus(60, bpm=75)]
AMPLIFIER = Noise("muscle", rms_mv=0.005)  # no electrode is ever quite still
TRUE = {
    "Asystole": [Sinus(54, bpm=75), Asystole(6)],
    "Bradycardia": [Sinus(48, bpm=70), Sinus(12, bpm=35)],
    "Tachycardia": [Sinus(45, bpm=80), Sinus(15, bpm=155)],
    "Ventricular_Tachycardia": [Sinus(55, bpm=75), VT(5, bpm=160)],
    "Ventricular_Flutter_Fib": [Sinus(52, bpm=75), VF(8)],
}


@pytest.fixture
def write(tmp_path):
    """Write a simulated record as the Challenge has them: II, V1 and a plethysmogram."""

    def make(name, kind, script, noise=(), leads=("II", "V1"), comments=()):
        made = simulate(script, leads=["II", "V1"], seed=6, noise=[AMPLIFIER, *noise])
        wave = pulse_wave(made.truth, FS, made.record.n_samples, noise=0.01)
        signals = {"II": made.record.x_mv[0], "V1": made.record.x_mv[1], "PLETH": wave}
        kept = {k: v for k, v in signals.items() if k in (*leads, "PLETH")}
        wfdb.wrsamp(
            name,
            fs=FS,
            units=["NU" if k == "PLETH" else "mV" for k in kept],
            sig_name=list(kept),
            p_signal=np.stack(list(kept.values()), axis=1).astype(float),
            fmt=["16"] * len(kept),
            comments=[kind, *comments],
            write_dir=str(tmp_path),
        )
        return tmp_path / name

    return make


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(verify_alarms)
    return lambda *words: CliRunner().invoke(app, [str(w) for w in words])


@pytest.mark.parametrize("with_pulse", [True, False])
@pytest.mark.parametrize("kind", TRUE)
def test_true_alarms_are_true_and_sinus_rhythm_refutes_them(write, kind, with_pulse):
    assert verify_path(write("t", kind, TRUE[kind]), with_pulse).verdict == "true"
    assert verify_path(write("f", kind, SINUS), with_pulse).verdict == "false"


@pytest.mark.parametrize("kind", ["Asystole", "Ventricular_Flutter_Fib", "Tachycardia"])
@pytest.mark.parametrize("snr_db", [18, 12])
def test_muscle_noise_holds_no_lethal_alarm_back(write, kind, snr_db):
    path = write("t", kind, TRUE[kind], noise=[Noise("muscle", snr_db=snr_db)])
    assert verify_path(path).verdict != "false"


@pytest.mark.parametrize("kind", TRUE)
def test_electrodes_that_are_moved_are_told_by_the_pulse(write, kind):
    moved = Noise("electrode", rms_mv=3.0, start_s=48, duration_s=12)
    muscle = Noise("muscle", rms_mv=0.5, start_s=48, duration_s=12)
    row = verify_path(write("f", kind, SINUS, noise=[moved, muscle]))
    assert row.verdict == "false"


@pytest.mark.parametrize("kind", TRUE)
def test_leads_that_are_off_decide_nothing_by_themselves(write, kind):
    off = Noise("lead off", start_s=35, duration_s=25)
    assert verify_path(write("u", kind, TRUE[kind], noise=[off]), with_pulse=False).verdict == (
        "undecided"
    )


def test_digital_silence_is_no_standstill(write):
    """A line that repeats one value to the bit is no electrode; it is not held back either."""
    path = write("u", "Asystole", SINUS)
    record = wfdb.rdrecord(str(path))
    record.p_signal[54 * FS :, :2] = 0.0
    wfdb.wrsamp(
        "u",
        fs=FS,
        units=record.units,
        sig_name=record.sig_name,
        p_signal=record.p_signal,
        fmt=record.fmt,
        comments=["Asystole"],
        write_dir=str(path.parent),
    )
    assert verify_path(path, with_pulse=False).verdict == "undecided"


def test_a_record_of_ten_seconds_is_undecided_not_an_error(write):
    row = verify_path(write("short", "Asystole", [Sinus(10, bpm=75)]))
    assert (row.verdict, row.error) == ("undecided", False)
    assert "only 10 s" in row.reason


def test_one_lead_or_the_pulse_alone_will_do(write):
    assert verify_path(write("t", "Asystole", TRUE["Asystole"], leads=("V1",))).verdict == "true"
    assert verify_path(write("f", "Asystole", SINUS, leads=())).verdict == "false"


def test_the_command_prints_a_row_a_record(run, write, tmp_path):
    write("a1", "Asystole", TRUE["Asystole"], comments=["False alarm"])  # what it says is not used
    write("b1", "Bradycardia", SINUS)
    done = run(tmp_path)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["a1", "Asystole", "true"]
    assert lines[1].split()[:3] == ["b1", "Bradycardia", "false"]


def test_as_json_by_the_contract_and_in_the_order_of_records(run, write, tmp_path):
    write("a1", "Asystole", TRUE["Asystole"])
    write("b1", "Bradycardia", SINUS)
    (tmp_path / "RECORDS").write_text("b1\na1\n")
    rows = json.loads(run(tmp_path, "--json").stdout)
    assert [(r["record"], r["alarm"], r["verdict"]) for r in rows] == [
        ("b1", "Bradycardia", "false"),
        ("a1", "Asystole", "true"),
    ]
    assert all(set(r) == {"record", "alarm", "verdict", "reason"} and r["reason"] for r in rows)


def test_a_record_that_fails_says_why_and_stops_nothing(run, write, tmp_path):
    write("a1", "Asystole", TRUE["Asystole"])
    write("x1", "Atrial_Fibrillation", SINUS)
    (tmp_path / "RECORDS").write_text("gone\nx1\na1\n")
    done = run(tmp_path, "--json")
    assert done.exit_code == 1
    gone, unknown, fine = json.loads(done.stdout)
    assert "no such header" in gone["reason"]
    assert "'Atrial_Fibrillation' is not known; there are Asystole" in unknown["reason"]
    assert gone["verdict"] == unknown["verdict"] == "undecided"
    assert gone["error"] is unknown["error"] is True
    assert fine["verdict"] == "true"
    assert "gone" in done.stderr
    assert "x1" in done.stderr


def test_a_folder_without_records_is_wrong_use(run, tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "no records there" in done.stderr


def test_nothing_after_five_minutes_is_looked_at(tmp_path):
    """Standstill after 5:00 must not make a false alarm true, nor a beat make a true one false."""
    for name, script, verdict in (
        ("f", [Sinus(302, bpm=75), Asystole(20)], "false"),
        ("t", [Sinus(294, bpm=75), Asystole(6), Sinus(22, bpm=75)], "true"),
    ):
        made = simulate(script, leads=["II"], seed=6, noise=[AMPLIFIER])
        wfdb.wrsamp(
            name,
            fs=FS,
            units=["mV"],
            sig_name=["II"],
            p_signal=made.record.x_mv.T.astype(float),
            fmt=["16"],
            comments=["Asystole"],
            write_dir=str(tmp_path),
        )
        assert verify_path(tmp_path / name).verdict == verdict
