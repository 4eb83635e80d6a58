"""`telerhythm replay`."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecg.errors import BadInput, BadRecord, BadSetting, TelerhythmError

if TYPE_CHECKING:
    from ecg import Record
    from ingest.replay import Misbehaviour, Player, Replay, Stats

WRONG = "Misbehaviour"
CONNECTION = "Connection"
POLL_S = 0.2
CONNECT_S = 10.0


def replay(
    records: Annotated[
        list[str],
        typer.Argument(metavar="RECORD", help="Records, globs, folders or RECORDS files."),
    ],
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="How many; records are dealt in turn. One a record if not given."),
    ] = None,
    site: Annotated[str, typer.Option(help="First half of the devices' names.")] = "replay",
    leads: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME", help="Leads to play, by name or position; all ECG leads."
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Times real time; 0: as fast as acknowledged.")
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, for ever.")] = False,
    frame_s: Annotated[float, typer.Option(help="Length of a frame, s.")] = 0.25,
    host: Annotated[str, typer.Option(rich_help_panel=CONNECTION)] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, rich_help_panel=CONNECTION)] = 1883,
    username: Annotated[str | None, typer.Option(rich_help_panel=CONNECTION)] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="The password is read from it.", rich_help_panel=CONNECTION)
    ] = None,
    drop: Annotated[
        float, typer.Option(metavar="SHARE", help="Frames not sent, 0 to 1.", rich_help_panel=WRONG)
    ] = 0.0,
    duplicate: Annotated[
        float, typer.Option(metavar="SHARE", help="Frames sent twice.", rich_help_panel=WRONG)
    ] = 0.0,
    reorder: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Frames sent after the next.", rich_help_panel=WRONG),
    ] = 0.0,
    malformed: Annotated[
        float, typer.Option(metavar="SHARE", help="Frames sent damaged.", rich_help_panel=WRONG)
    ] = 0.0,
    jitter: Annotated[
        float,
        typer.Option(metavar="S", help="Frames leave up to so late.", rich_help_panel=WRONG),
    ] = 0.0,
    disconnect: Annotated[
        str | None,
        typer.Option(metavar="EVERY,FOR", help="Connection breaks, s.", rich_help_panel=WRONG),
    ] = None,
    restart_every: Annotated[
        float | None,
        typer.Option(metavar="S", help="Device restarts: new boot.", rich_help_panel=WRONG),
    ] = None,
    clock_drift: Annotated[
        float, typer.Option(metavar="PPM", help="Device's clock is fast.", rich_help_panel=WRONG)
    ] = 0.0,
    clock_step: Annotated[
        str | None,
        typer.Option(metavar="AT,BY", help="Device's clock jumps, s.", rich_help_panel=WRONG),
    ] = None,
    lead_off: Annotated[
        str | None,
        typer.Option(metavar="EVERY,FOR", help="A lead comes off, s.", rich_help_panel=WRONG),
    ] = None,
    lead_off_lead: Annotated[
        int, typer.Option(min=0, help="Which lead; 0 is the first.", rich_help_panel=WRONG)
    ] = 0,
    snr: Annotated[
        float | None,
        typer.Option(metavar="DB", help="Noise is added at this ratio.", rich_help_panel=WRONG),
    ] = None,
    noise: Annotated[
        Path | None,
        typer.Option(
            metavar="RECORD", help="The noise; white if not given.", rich_help_panel=WRONG
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same misdeeds.", rich_help_panel=WRONG)] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as one JSON object.")
    ] = False,
) -> None:
    """Play records as devices that publish over MQTT, well-behaved or not.

    Ends with the records, or on Ctrl-C or SIGTERM, and tells what became of every frame. Exit
    status 1: no broker, a record that cannot be read, or a frame that was not acknowledged. What
    each option does: docs/replay.md.

    Examples:

      telerhythm replay data/simulated/af

      telerhythm replay data/mitdb --devices 100 --loop

      telerhythm replay data/simulated/vt --drop 0.01 --disconnect 60,10 --snr 6 --json
    """
    from ingest.replay import ClockStep, Misbehaviour, Replay

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        ways = Misbehaviour(
            drop=drop,
            duplicate=duplicate,
            reorder=reorder,
            malformed=malformed,
            jitter_s=jitter,
            disconnect=_spells("--disconnect", disconnect),
            restart_every_s=restart_every,
            drift_ppm=clock_drift,
            clock_step=None
            if clock_step is None
            else ClockStep(*_pair("--clock-step", clock_step)),
            lead_off=_spells("--lead-off", lead_off),
            lead_off_lead=lead_off_lead,
            snr_db=_snr(snr, noise),
            noise=None if noise is None else _read_noise(noise),
            seed=seed,
        )
        found, errors = _read(records, leads.split(",") if leads else None)
        how: dict[str, Any] = {"speed": speed, "loop": loop, "frame_s": frame_s}
        players = _players(found, devices or len(found), _checked_site(site), ways, how)
        running = Replay(host, port, players, username=username, password=_password(password_file))
    except BadRecord as error:
        print(f"telerhythm replay: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    except BadInput as error:
        print(f"telerhythm replay: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    try:
        stats = _play(running, players, f"{host}:{port}")
    except TelerhythmError as error:
        print(f"telerhythm replay: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    _tell(stats, len(players), as_json)
    if stats.unacknowledged or stats.refused:
        print(
            f"telerhythm replay: {stats.unacknowledged} messages were not acknowledged, "
            f"{stats.refused} given up: is the broker still there?",
            file=sys.stderr,
        )
    if errors or stats.unacknowledged or stats.refused:
        raise typer.Exit(1)


# -- from words to settings ----------------------------------------------------------------------


def _pair(option: str, text: str) -> tuple[float, float]:
    try:
        first, second = (float(word) for word in text.split(","))
    except ValueError as error:
        raise BadSetting(f"{option} {text!r}: two numbers of seconds, as in 60,10") from error
    return first, second


def _spells(option: str, text: str | None) -> Any:
    from ingest.replay import Spells

    if text is None:
        return None
    every_s, for_s = _pair(option, text)
    try:
        return Spells(every_s, for_s)
    except BadSetting as error:
        raise BadSetting(f"{option} {text}: {error}") from error


def _snr(snr_db: float | None, noise: Path | None) -> float | None:
    if noise is not None and snr_db is None:
        raise BadSetting("--noise needs --snr: how strong is the noise to be?")
    return snr_db


def _checked_site(site: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", site):
        raise BadSetting(f"--site {site!r}: 1 to 64 letters, digits, - and _")
    return site


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"--password-file {file}: cannot be read: {error}") from error


# -- records and devices ---------------------------------------------------------------------------


def _read(paths: Sequence[str], leads: list[str] | None) -> tuple[list[Record], list[str]]:
    """Records that can be read, and what is wrong with the others, which is told at once."""
    from archive.read import find_records, read_record

    found, errors = [], []
    for path in find_records(paths):
        try:
            found.append(read_record(path, leads))
        except BadRecord as error:
            errors.append(str(error))
            print(f"telerhythm replay: {error}", file=sys.stderr)
    if not found:
        raise BadRecord("no record can be read")
    return found, errors


def _read_noise(path: Path) -> Record:
    """All signals of a noise record; its gain does not matter, since it is scaled to the SNR."""
    from archive.read import read_record

    return read_record(path, ["*"], uncalibrated_gain=200.0)


def _players(
    records: Sequence[Record], n: int, site: str, ways: Misbehaviour, how: dict[str, Any]
) -> list[Player]:
    """`n` devices, named as their records: `site/100`, and `site/100-2` for the second of them."""
    from ingest.replay import Player

    used: set[str] = set()
    players = []
    for i in range(n):
        record = records[i % len(records)]
        name = _device_name(record.name, used)
        players.append(Player(f"{site}/{name}", record, misbehaviour=ways, **how))
    return players


def _device_name(record: str, used: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]", "-", record)[:56] or "record"
    name, again = stem, 1
    while name in used:
        again += 1
        name = f"{stem}-{again}"
    used.add(name)
    return name


# -- playing -----------------------------------------------------------------------------------


def _play(running: Replay, players: Sequence[Player], address: str) -> Stats:
    """Play to the end, or until Ctrl-C; figures either way."""
    running.start(CONNECT_S)
    names = ", ".join(player.device for player in players[:3])
    more = f" and {len(players) - 3} more" if len(players) > 3 else ""
    print(f"replaying to {address}: {names}{more}; Ctrl-C ends it", file=sys.stderr)
    try:
        with _Progress(players) as progress:
            while not running.join(POLL_S):
                progress.show(running.stats)
    except KeyboardInterrupt:
        print("ending …", file=sys.stderr)
        running.stop()
    return running.stats


class _Progress:
    """A bar on stderr: frames, frames a second, time left; nothing when that is a file."""

    def __init__(self, players: Sequence[Player]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        is_endless = any(player.duration_s is None for player in players)
        self._bar = Progress(
            TextColumn("replaying"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} frames"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        total = None if is_endless else sum(-(-p.record.n_samples // p.frame_n) for p in players)
        self._task = self._bar.add_task("", total=total, rate="")

    def show(self, stats: Stats) -> None:
        done = stats.published + stats.dropped_on_purpose + stats.malformed + stats.refused
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, completed=done, rate=f"{speed:,.0f} frames/s" if speed else "")

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()


def _tell(stats: Stats, n_devices: int, as_json: bool) -> None:
    figures = {"devices": n_devices, **asdict(stats)}
    figures["late_max_s"] = round(stats.late_max_s, 4)
    if as_json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):20} {figure:>12,}")
