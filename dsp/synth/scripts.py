"""Named cases: the records of data/simulated and the simulated patients of the demo."""

from __future__ import annotations

from dataclasses import replace

from dsp.synth.conduction import CompleteBlock, Mobitz2, Paced, Wenckebach
from dsp.synth.loop import closed
from dsp.synth.noise import Noise
from dsp.synth.patient import Patient
from dsp.synth.rhythm import AF, SVT, VF, VT, Asystole, Flutter, Pause, Segment, Sinus
from dsp.synth.simulation import Script, simulate
from ecg import BadSetting, Record

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_QUIET = (Noise("baseline", rms_mv=0.03), Noise("muscle", rms_mv=0.008))

SCRIPTS: dict[str, Script] = {
    "sinus": Script(
        (Sinus(20, bpm=65),),
        noise=_QUIET,
        about="Sinus rhythm at 65/min, twelve leads",
        leads=TWELVE,
    ),
    "bradycardia": Script(
        (Sinus(15, bpm=50), Sinus(25, bpm=34, hrv=0.04)),
        noise=_QUIET,
        about="Sinus bradycardia, 50 then 34/min",
    ),
    "tachycardia": Script(
        (Sinus(10, bpm=60, hrv=0.01), Sinus(20, bpm=180, hrv=0.005)),
        noise=_QUIET,
        about="Sinus rhythm, 60 then at once 180/min",
    ),
    "af": Script(
        (Sinus(15, bpm=72), AF(30, bpm=115), Sinus(15, bpm=68)),
        noise=_QUIET,
        about="Atrial fibrillation at 115/min for 30 s, sinus rhythm before and after",
    ),
    "flutter": Script(
        (Flutter(12, ratios=(2,)), Flutter(18, ratios=(4, 2, 3, 4))),
        noise=_QUIET,
        about="Atrial flutter at 300/min, conducted 2:1, then 2:1 to 4:1",
    ),
    "pvcs": Script(
        (
            Sinus(20, bpm=72, pattern="NNNNV", shapes=("outflow", "left")),
            Sinus(12, bpm=76, pattern="NV"),
            Sinus(12, bpm=76, pattern="NNV"),
            Sinus(14, bpm=72, pattern="NNNNVV", shapes=("outflow", "left")),
        ),
        noise=_QUIET,
        about="Ventricular premature beats of two shapes: single, bigeminy, trigeminy, couplets",
    ),
    "apcs": Script(
        (Sinus(30, bpm=70, pattern="NNNNA"),),
        noise=_QUIET,
        about="Atrial premature beats",
    ),
    "svt": Script(
        (Sinus(10, bpm=78), SVT(15, bpm=190), Pause(1.6), Sinus(8.4, bpm=75)),
        noise=_QUIET,
        about="Supraventricular tachycardia at 190/min for 15 s, ends with a pause",
    ),
    "vt": Script(
        (Sinus(12, bpm=80), VT(14, bpm=175, shapes=("apex",)), Pause(1.2), Sinus(10.8, bpm=85)),
        noise=_QUIET,
        about="Ventricular tachycardia at 175/min for 14 s, ends by itself",
    ),
    "vf": Script(
        (Sinus(8, bpm=88), VT(6, bpm=210), VF(6, hz=4.6, amplitude_mv=0.9, flutter=True), VF(20)),
        noise=_QUIET,
        about="Ventricular tachycardia, then flutter, then coarse ventricular fibrillation",
    ),
    "asystole": Script(
        (Sinus(12, bpm=58), Asystole(8), Sinus(10, bpm=48), Asystole(10, p_bpm=70)),
        noise=(Noise("baseline", rms_mv=0.02), Noise("muscle", rms_mv=0.006)),
        about="Asystole for 8 s; later ventricular standstill with P waves",
    ),
    "wenckebach": Script(
        (Sinus(10, bpm=72, pr_s=0.26), Wenckebach(25, bpm=75, cycle=4)),
        noise=_QUIET,
        about="First-degree AV block, then second-degree of Wenckebach's kind, 4:3",
    ),
    "mobitz2": Script(
        (Mobitz2(15, bpm=78, ratio=3), Mobitz2(15, bpm=78, ratio=2)),
        Patient(shape="rbbb", qrs_ms=125),
        noise=_QUIET,
        about="Second-degree AV block, Mobitz II 3:2, then 2:1; right bundle branch block",
    ),
    "complete-block": Script(
        (CompleteBlock(18, bpm=42, escape="junction"), CompleteBlock(18, bpm=34)),
        noise=_QUIET,
        about="Third-degree AV block; junctional, then ventricular escape rhythm",
    ),
    "paced": Script(
        (Paced(15, bpm=70), Paced(15, bpm=75, dual=True)),
        noise=_QUIET,
        about="Ventricular pacing, then dual-chamber pacing",
    ),
    "noise": Script(
        (Sinus(60, bpm=75),),
        noise=(
            Noise("baseline", rms_mv=0.05),
            Noise("muscle", snr_db=6, start_s=10, duration_s=10),
            Noise("electrode", snr_db=0, start_s=25, duration_s=10),
            Noise("powerline", snr_db=6, start_s=40, duration_s=8),
            Noise("lead off", start_s=52, duration_s=5, leads=("V1",)),
        ),
        about="Sinus rhythm with muscle, electrode and mains noise, then a lead off",
    ),
}
"""The cases of data/simulated, by name."""

_LBBB = Patient(shape="lbbb", qrs_ms=140)
_BED_NOISE = (Noise("baseline", rms_mv=0.06), Noise("muscle", rms_mv=0.015))

DEMO: dict[str, Script] = {
    "sinus rhythm": Script(
        (Sinus(90, bpm=68), Sinus(60, bpm=76), Sinus(90, bpm=64, pattern="N" * 17 + "A"))
    ),
    "sinus rhythm with PVCs": Script(
        (
            Sinus(60, bpm=74, pattern="NNNNNNV", shapes=("outflow", "outflow", "left")),
            Sinus(24, bpm=78, pattern="NV"),
            Sinus(50, bpm=72, pattern="N" * 9 + "VV", shapes=("outflow", "left")),
            Sinus(24, bpm=76, pattern="NNV"),
            Sinus(40, bpm=70),
        )
    ),
    "atrial fibrillation": Script(
        (AF(150, bpm=96), AF(60, bpm=124), AF(90, bpm=84, pattern="N" * 19 + "V"))
    ),
    "ventricular tachycardia, self-ending": Script(
        (
            Sinus(45, bpm=84, pattern="NNNNNNNNV", shapes=("apex",)),
            VT(14, bpm=172),
            Pause(1.0),
            Sinus(90, bpm=92, pattern="N" * 12 + "V", shapes=("apex",)),
        )
    ),
    "asystole episode": Script(
        (Sinus(35, bpm=62), Sinus(10, bpm=46), Asystole(9), CompleteBlock(10, bpm=42), Sinus(56))
    ),
    "complete AV block": Script(
        (CompleteBlock(100, bpm=42, escape="junction"), CompleteBlock(60, bpm=36)),
        Patient(p_mv=0.17),
    ),
    "paced": Script((Paced(80, bpm=70), Paced(80, bpm=72, dual=True))),
    "sinus tachycardia, muscle noise": Script(
        (Sinus(60, bpm=112, hrv=0.02), Sinus(60, bpm=126, hrv=0.02)),
        Patient(p_mv=0.18),
        noise=(
            Noise("baseline", rms_mv=0.10),
            Noise("muscle", rms_mv=0.03),
            Noise("muscle", rms_mv=0.12, start_s=20, duration_s=18),
            Noise("electrode", rms_mv=0.15, start_s=70, duration_s=8),
        ),
    ),
    "left bundle branch block": Script((Sinus(120, bpm=72),), _LBBB),
}
"""Simulated patients of the demo, by name; their rhythms repeat."""


def demo_record(
    name: str,
    minutes: float = 10.0,
    *,
    fs_hz: float = 250.0,
    leads: tuple[str, ...] = ("II", "V1"),
    seed: int | None = None,
) -> Record:
    """A long, varied record with a bed's noise, by its name in `DEMO`, to be played in a loop.

    It lasts `minutes` less at most a few seconds, so that its end goes on as its beginning.

    Raises
    ------
    BadSetting
        If there is no patient of that name, or `minutes` is not above 0.
    """
    if name not in DEMO:
        raise BadSetting(f"no simulated patient {name!r}: choose among {', '.join(DEMO)}")
    script = repeated(DEMO[name], minutes)
    seed = sum(name.encode()) if seed is None else seed
    noise = script.noise or _BED_NOISE
    return closed(simulate(script, fs_hz=fs_hz, leads=leads, seed=seed, noise=noise, name=name))


def repeated(script: Script, minutes: float) -> Script:
    """The script over and over, for `minutes`; its last segment is cut to fit."""
    if not 0 < minutes <= 24 * 60:
        raise BadSetting(f"minutes {minutes}: must be above 0 and at most a day")
    segments: list[Segment] = []
    left_s = minutes * 60
    while left_s > 1e-6:
        for segment in script.segments:
            lasts_s = min(segment.duration_s, left_s)
            if lasts_s > 1e-6:
                segments.append(replace(segment, duration_s=lasts_s))
            left_s -= lasts_s
    return replace(script, segments=tuple(segments))
