"""The card of the model of beats: data, folds, figures, limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.evaluate import BeatTable
from training.beat_rows import STREAMS, N, Rows, S, V

_TOP = """# Model of beat classes (`beats.npz`)

Written by `make train` (`python -m training.beats`); do not edit.

Boosted trees (LightGBM {lightgbm}; numpy {numpy}, Python {python}): a score that a beat is
ventricular, and one that it is supraventricular, each the mean of two forests. What they are told
of a beat stands in `detectors/facts.py`, how a class is decided in `docs/beats.md`.

## Data

MIT-BIH Arrhythmia Database, {n_patients} records (training half of the usual split between
patients, and the paced ones); normal and fibrillating records of the PhysioNet/CinC Challenge 2017
({n_others} people, no beat labels: their beats count as not supraventricular, the normal ones also
as not ventricular); noise of the MIT-BIH Noise Stress Test Database. Beats are those that the
shipped detector finds.

| stream | N | S | V | learned from |
|---|---|---|---|---|
"""

_FIGURES = """
## Figures

Cross-validated by patient, {n_folds} folds: every figure is of patients whose beats, in whatever
stream, were neither trained on nor used to choose the operating points. ANSI/AAMI EC57, from
minute 5, beats as detected, streaming.

| stream | VEB Se % | VEB +P % | SVEB Se % | SVEB +P % |
|---|---|---|---|---|
"""

_RECORDS = """
By record, both leads; beats of the reference, how many were told so, and how many others were.

| record | VEB | found | others told so | SVEB | found | others told so |
|---|---|---|---|---|---|---|
"""

_LIMITS = """
## Limits

- 26 patients, one recorder: figures of the next 26 will differ. Supraventricular beats come from
  few patients: record 209 alone has two of five.
- Aberrantly conducted atrial beats look ventricular and are told so, unless they come very early
  and their T wave is seen to be the usual one (half of those of record 201).
- An atrial or nodal rhythm at the patient's own rate (record 124) is told N: nothing comes early.
- Fusion beats are told N, V or Q, never F: nearly all of them are of one patient (record 208), so a
  score of them could not be judged. Paced beats have the code `/` where their pulse shows.
- One precordial lead alone does much worse than a limb lead: see "second lead".
- Not for diagnosis.
"""


def write_card(
    path: Path, rows: Rows, chosen: NDArray[np.bool_], tables: dict[str, BeatTable],
    versions: dict[str, str],
) -> None:  # fmt: skip
    """Write the card beside the model."""
    from training.beats import FOLDS

    n_patients = int(np.unique(rows.patient[rows.patient < 10_000]).size)
    n_others = int(np.unique(rows.patient[rows.patient >= 10_000]).size)
    text = [_TOP.format(n_patients=n_patients, n_others=n_others, **versions)]
    for i, name in enumerate(STREAMS):
        here = rows.stream == i
        counts = [int(np.sum(here & (rows.label == label))) for label in (N, S, V)]
        cells = " | ".join(str(c) for c in (*counts, int(np.sum(here & chosen))))
        text.append(f"| {name} | {cells} |\n")
    text.append(_FIGURES.format(n_folds=FOLDS))
    for name in STREAMS:
        if name in tables:
            f = tables[name].figures()
            cells = " | ".join(f"{f[k]:.2f}" for k in ("v_se", "v_ppv", "s_se", "s_ppv"))
            text.append(f"| {name} | {cells} |\n")
    text.append(_RECORDS)
    prefix = f"{STREAMS[0]}: "
    for name, table in tables.items():
        if name.startswith(prefix):
            counts = table.counts
            cells = []
            for own in (V, S):
                others = [row for row in (0, 1, 2, 5, 6) if row != own]
                cells += [counts[own].sum(), counts[own, own], counts[others, own].sum()]
            text.append(f"| {name.removeprefix(prefix)} | {' | '.join(map(str, cells))} |\n")
    text.append(_LIMITS)
    path.write_text("".join(text), encoding="utf-8")
