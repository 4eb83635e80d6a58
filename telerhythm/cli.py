"""The command line. Exit status: 0 done, 1 some input failed, 2 wrong use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ecg.errors import TelerhythmError
from telerhythm.commands.alarms import export as export_alarms
from telerhythm.commands.dashboard import dashboard
from telerhythm.commands.data import get, list_databases
from telerhythm.commands.demo import demo
from telerhythm.commands.evaluate import evaluate
from telerhythm.commands.replay import replay
from telerhythm.commands.score import score
from telerhythm.commands.serve import serve
from telerhythm.commands.simulate import simulate
from telerhythm.commands.store import backup, check
from telerhythm.commands.verify import verify_alarms

app = typer.Typer(
    help="ECG monitoring and analysis: from the device to the ward, live and in archives.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (demo, serve, dashboard, replay, score, evaluate):
    app.command()(command)
app.command("verify-alarms")(verify_alarms)

data_app = typer.Typer(help="Records: public databases, simulated patients.", no_args_is_help=True)
data_app.command("list")(list_databases)
data_app.command("get")(get)
data_app.command("simulate")(simulate)
app.add_typer(data_app, name="data")

store_app = typer.Typer(help="Look after the store.", no_args_is_help=True)
store_app.command("check")(check)
store_app.command("backup")(backup)
app.add_typer(store_app, name="store")

alarms_app = typer.Typer(help="Look back on alarms.", no_args_is_help=True)
alarms_app.command("export")(export_alarms)
app.add_typer(alarms_app, name="alarms")


def _version(asked: bool) -> None:
    if asked:
        from telerhythm import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """What comes before the command."""


def main() -> None:
    """Run the command; an error of ours is told in its own words, without a traceback."""
    try:
        app()
    except TelerhythmError as error:
        print(f"telerhythm: {error}", file=sys.stderr)
        sys.exit(1)
