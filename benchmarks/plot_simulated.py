"""Draw simulated records on ECG paper, 25 mm/s and 10 mm/mV, with their truth, to be looked at.

    python -m benchmarks.plot_simulated OUT [NAME…]
    python -m benchmarks.plot_simulated --picture docs/img/simulated.png

A PNG a case of `dsp.synth.SCRIPTS`; the waves' spans are shaded, beats carry their codes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from dsp.synth import AF, SCRIPTS, VF, VT, Flutter, Simulated, Sinus, simulate

LINE_S = 10.0
PICTURE = (Sinus(10, pattern="NNNV"), AF(10), Flutter(10, ratios=(2, 4)), VT(5), VF(5))
MM = 1 / 25.4
SHADE = {"p": "#3a7ff6", "N": "#f6803a", "t": "#3aa655"}


def draw(simulated: Simulated, path: Path, start_s: float = 0.0, end_s: float = 1e9) -> None:
    record = simulated.record
    end_s = min(end_s, record.duration_s)
    lines = [
        (lead, t0) for t0 in np.arange(start_s, end_s, LINE_S) for lead in range(len(record.leads))
    ]
    figure, axes = plt.subplots(
        len(lines), 1, figsize=((LINE_S * 25 + 12) * MM, len(lines) * 38 * MM), squeeze=False
    )
    for axis, (lead, t0) in zip(axes[:, 0], lines, strict=True):
        _line(axis, simulated, lead, float(t0))
    figure.subplots_adjust(0.02, 0.01, 0.995, 0.995, hspace=0.02)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _line(axis: Axes, simulated: Simulated, lead: int, t0: float) -> None:
    record, truth = simulated.record, simulated.truth
    t_s = np.arange(record.n_samples) / record.fs_hz
    middle = float(np.nan_to_num(np.nanmedian(record.x_mv[lead])))
    low, high = middle - 1.9, middle + 1.9
    for step_s, step_mv, width in ((0.04, 0.1, 0.25), (0.2, 0.5, 0.6)):
        axis.vlines(np.arange(t0, t0 + LINE_S, step_s), low, high, "#f3b9b9", lw=width)
        axis.hlines(np.arange(-4, 4, step_mv), t0, t0 + LINE_S, "#f3b9b9", lw=width)
    axis.plot(t_s, record.x_mv[lead], "k", lw=0.8)
    for wave in truth.waves:
        span = wave["onset"] / record.fs_hz, wave["offset"] / record.fs_hz
        axis.axvspan(*span, 0, 0.03, color=SHADE[str(wave["kind"])], alpha=0.6)
    for sample, code, aux in zip(truth.atr.sample, truth.atr.symbol, truth.atr.aux, strict=True):
        at_s = sample / record.fs_hz
        if t0 <= at_s < t0 + LINE_S:
            axis.text(at_s, high - (0.3 if aux else 0.16), aux or code, fontsize=6, clip_on=True)
    axis.text(t0 + 0.05, middle + 1.2, record.leads[lead], fontsize=9, weight="bold")
    axis.set(xlim=(t0, t0 + LINE_S), ylim=(low, high), xticks=[], yticks=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--picture", action="store_true", help="the one of docs/simulated.md")
    parser.add_argument("names", nargs="*", choices=[[], *SCRIPTS], default=[])
    chosen = parser.parse_args()
    if chosen.picture:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        draw(simulate(PICTURE, seed=1, leads=["II"]), chosen.out)
        return
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.names or SCRIPTS:
        draw(simulate(SCRIPTS[name], seed=1, name=name), chosen.out / f"{name}.png")


if __name__ == "__main__":
    main()
