"""Simulated patients: multi-lead ECG with exact truth, from a script of rhythms."""

from dsp.synth.conduction import CompleteBlock, Mobitz2, Paced, Wenckebach
from dsp.synth.noise import Noise
from dsp.synth.patient import Patient
from dsp.synth.pulse import pulse_wave
from dsp.synth.rhythm import AF, SVT, VF, VT, Asystole, Flutter, Pause, Segment, Sinus
from dsp.synth.scripts import DEMO, SCRIPTS, demo_record, repeated
from dsp.synth.simulation import Script, Simulated, simulate
from dsp.synth.truth import Truth

__all__ = [
    "AF",
    "DEMO",
    "SCRIPTS",
    "SVT",
    "VF",
    "VT",
    "Asystole",
    "CompleteBlock",
    "Flutter",
    "Mobitz2",
    "Noise",
    "Paced",
    "Patient",
    "Pause",
    "Script",
    "Segment",
    "Simulated",
    "Sinus",
    "Truth",
    "Wenckebach",
    "demo_record",
    "pulse_wave",
    "repeated",
    "simulate",
]
