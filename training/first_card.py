"""The card of the weights for first beats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.judge_card import Figures
from training.judge_rows import Rows

_TOP = """# First beats (`first.npz`)

Written by `make train` (`python -m training.first`); do not edit.

A network of 24 facts about a peak, 16 units and one output, the log odds that the peak is a beat,
while fewer than 8 beats are known (`detectors/first.py`, docs/qrs.md, step 6). scikit-learn
{sklearn}, numpy {numpy}, Python {python}.

## Data

Cold starts of 40 s: records of the MIT-BIH Arrhythmia Database (PhysioNet, ODC-By 1.0), begun
anywhere, as they are and with the troubles of the judge's card; simulated patients (`dsp.synth`)
in one rhythm each, wide complexes (paced, ventricular tachycardia) often; noise without a heart,
white, of muscles and electrodes (MIT-BIH Noise Stress Test Database, and simulated), steady, waxing
and in bursts; single leads of the Lobachevsky University Database (PhysioNet, ODC-By 1.0), 10 s
each.
{n_peaks} peaks of {n_patients} patients, {n_beats} of them beats. No signal is contained.

Peaks are collected in rounds: by a rule first, then, in every round, by weights that have learnt
from other patients alone; the last two rounds are kept. Each set counts as a whole, whatever its
number of peaks.

## Figures

The whole detector from 2 s after the start on. **Held out**: {folds} folds of patients, each with
weights learnt from the other folds. **Written**: the weights in the file, on the patients that they
were learnt from. Starts and troubles are drawn anew. The judge of later beats is the shipped one.

| | beats | held out Se % | +P % | missed | too many | written Se % | +P % | missed | too many |
|---|---|---|---|---|---|---|---|---|---|
"""

_LIMITS = """
## Limits

- P waves alone are not told from a heart with low, wide complexes: there is nothing to compare.
- Simulated patients and noise differ from real ones; LUDB is the only other recorder.
"""


def write_card(
    path: Path, rows: Rows, figures: tuple[Figures, Figures], facts: dict[str, str]
) -> None:
    """Write the card beside the weights; figures held out, and those of the weights written."""
    text = [
        _TOP.format(
            n_peaks=rows.is_beat.size,
            n_beats=int(rows.is_beat.sum()),
            n_patients=np.unique(rows.patient).size,
            **facts,
        )
    ]
    for name, held_out in figures[0].items():
        cells = [
            f"{f.se:.2f} | {f.ppv:.2f} | {f.missed} | {f.extra}"
            for f in (held_out, figures[1][name])
        ]
        text.append(f"| {name} | {held_out.n} | {' | '.join(cells)} |\n")
    text.append(_LIMITS)
    path.write_text("".join(text), encoding="utf-8")
