"""`telerhythm data simulate`."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ecg.errors import BadInput, BadSetting


def simulate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME…]", help="Cases; all when none is named.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the records.")] = Path("data/simulated"),
    minutes: Annotated[
        float | None, typer.Option(help="Repeat each case for so long; once when not given.")
    ] = None,
    fs: Annotated[float, typer.Option(metavar="HZ", help="Sampling rate, 100 to 1000.")] = 250.0,
    seed: Annotated[int, typer.Option(min=0, help="Other seed, other record.")] = 0,
    leads: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Leads; those of the case.")
    ] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="Tell the cases, write none.")] = False,
) -> None:
    """Simulate patients: WFDB records with exact truth.

    Each record NAME gets NAME.atr (beats and rhythms), NAME.wav (onset, peak and offset of every
    wave) and, when paced, NAME.pace (pulses). README.md in the folder tells what they are. The
    same words give the same files to the bit.

    Examples:

      telerhythm data simulate --list

      telerhythm data simulate af vt --out /tmp/cases --minutes 30 --fs 500 --leads I,II,V5
    """
    from dsp.synth import SCRIPTS

    if list_cases:
        for name, script in SCRIPTS.items():
            print(f"{name:16}{script.duration_s:5g} s  {script.about}")
        return
    try:
        for name in names or SCRIPTS:
            if name not in SCRIPTS:
                raise BadSetting(f"no case {name!r}: choose among {', '.join(SCRIPTS)}")
        rows = [
            _write(name, out, minutes, fs, seed, leads.split(",") if leads else None)
            for name in names or SCRIPTS
        ]
    except BadInput as error:
        raise typer.BadParameter(str(error)) from error
    (out / "RECORDS").write_text("".join(f"{name}\n" for name in names or SCRIPTS))
    (out / "README.md").write_text(_readme(rows, seed))


def _write(
    name: str, out: Path, minutes: float | None, fs_hz: float, seed: int, leads: list[str] | None
) -> str:
    """Write one case; its row in the table of the README."""
    from archive.write import write_record
    from dsp.synth import SCRIPTS, repeated
    from dsp.synth import simulate as run

    script = SCRIPTS[name] if minutes is None else repeated(SCRIPTS[name], minutes)
    # each case its own noise, whichever others are asked for
    simulated = run(
        script, fs_hz=fs_hz, leads=leads, seed=zlib.crc32(name.encode()) + seed, name=name
    )
    record, truth = simulated.record, simulated.truth
    write_record(record, out, truth.annotations())
    counts = ", ".join(f"{truth.codes.count(code)} {code}" for code in sorted(set(truth.codes)))
    cells = (
        f"`{name}`",
        script.about,
        f"{record.duration_s:g}",
        f"{fs_hz:g}",
        " ".join(record.leads),
        counts or "none",
    )
    print(out / name)
    return f"| {' | '.join(cells)} |"


def _readme(rows: Iterable[str], seed: int) -> str:
    return (
        "# Simulated records\n\n"
        "Made by `telerhythm data simulate`, which writes this page too; no patient is behind\n"
        "them. Signal: 16-bit WFDB. `.atr`: beats at the extreme of lead II, rhythm changes, `[`\n"
        "and `]` around ventricular flutter and fibrillation. `.wav`: onset, peak and offset of\n"
        "each P, QRS and T wave. `.pace`: pacing pulses. What these mean exactly:\n"
        f"docs/simulated.md. Seed {seed}.\n\n"
        "| record | what | s | Hz | leads | beats |\n|---|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
