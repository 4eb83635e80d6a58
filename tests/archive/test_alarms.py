"""Records of alarms: what their headers say, and nothing after 5:00."""

import struct

import numpy as np
import pytest

from archive.alarms import read_alarm
from ecg import BadRecord

FS = 250


def write(folder, name, signals, comments, n=301 * FS, as_mat=True):
    """A record as the Challenge has it: 16-bit samples, in a MATLAB 4 file or plain."""
    rng = np.random.default_rng(3)
    x = rng.integers(-9000, 9000, (n, len(signals))).astype("<i2")
    suffix = "mat" if as_mat else "dat"
    head = struct.pack("<5i", 30, len(signals), n, 0, 4) + b"val\0" if as_mat else b""
    (folder / f"{name}.{suffix}").write_bytes(head + x.tobytes())
    fmt = "16+24" if as_mat else "16"
    lines = [f"{name} {len(signals)} {FS} {n}"]
    for i, (signal, unit) in enumerate(signals):
        checksum = int(x[:, i].sum(dtype=np.int64)) & 0xFFFF
        lines.append(f"{name}.{suffix} {fmt} 1000/{unit} 16 0 {x[0, i]} {checksum} 0 {signal}")
    text = "\n".join(lines + [f"#{c}" for c in comments]) + "\n"
    (folder / f"{name}.hea").write_text(text)
    return folder / name, x


CHALLENGE = [("II", "mV"), ("V", "mV"), ("PLETH", "NU"), ("ABP", "mmHg"), ("RESP", "NU")]


@pytest.mark.parametrize("as_mat", [True, False])
def test_leads_and_pulses_apart_and_nothing_after_the_alarm(tmp_path, as_mat):
    path, x = write(tmp_path, "a1l", CHALLENGE, ["Asystole", "True alarm"], 330 * FS, as_mat)
    alarm = read_alarm(path)
    assert (alarm.name, alarm.kind, alarm.is_true) == ("a1l", "Asystole", True)
    assert alarm.ecg.leads == ("II", "V")
    assert alarm.pulse.leads == ("PLETH", "ABP")
    assert alarm.units == ("NU", "mmHg")
    assert alarm.ecg.n_samples == alarm.pulse.n_samples == 300 * FS
    assert np.allclose(alarm.ecg.x_mv, x[: 300 * FS, :2].T / 1000)
    assert np.allclose(alarm.pulse.x_mv, x[: 300 * FS, 2:4].T / 1000)


@pytest.mark.parametrize(
    ("comments", "is_true"),
    [(["Asystole", "False alarm"], False), (["Asystole"], None), (["Asystole", "seen"], None)],
)
def test_the_truth_need_not_be_told(tmp_path, comments, is_true):
    path, _ = write(tmp_path, "a1", CHALLENGE, comments, 20 * FS)
    assert read_alarm(path).is_true is is_true


def test_without_pulse_when_not_wanted_or_not_there(tmp_path):
    path, _ = write(tmp_path, "a1", CHALLENGE, ["Asystole"], 20 * FS)
    assert read_alarm(path, with_pulse=False).pulse is None
    path, _ = write(tmp_path, "a2", CHALLENGE[:2], ["Asystole"], 20 * FS)
    assert read_alarm(path).pulse is None
    path, _ = write(tmp_path, "a3", CHALLENGE[2:], ["Asystole"], 20 * FS)
    assert read_alarm(path).ecg is None


def test_signals_without_a_gain_are_taken_as_wfdb_does(tmp_path):
    path, x = write(tmp_path, "a1", CHALLENGE, ["Asystole"], 20 * FS)
    header = path.with_suffix(".hea")
    header.write_text(header.read_text().replace("1000/mV", "0/mV"))
    assert np.allclose(read_alarm(path).ecg.x_mv, x[:, :2].T / 200)


def test_what_is_no_record_of_an_alarm_is_refused(tmp_path):
    with pytest.raises(BadRecord, match="no such header"):
        read_alarm(tmp_path / "nothing")
    path, _ = write(tmp_path, "a1", CHALLENGE, [], 20 * FS)
    with pytest.raises(BadRecord, match="names no alarm"):
        read_alarm(path)
    path, _ = write(tmp_path, "a2", CHALLENGE[4:], ["Asystole"], 20 * FS)
    with pytest.raises(BadRecord, match="neither an ECG lead nor a pulse"):
        read_alarm(path)
    path, _ = write(tmp_path, "a3", CHALLENGE, ["Asystole"], 20 * FS)
    path.with_suffix(".mat").write_bytes(path.with_suffix(".mat").read_bytes()[:5000])
    with pytest.raises(BadRecord, match="cut short or damaged"):
        read_alarm(path)
