"""docs/score.md: every example runs, as it is written there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from telerhythm.cli import app

ROOT = Path(__file__).parents[2]


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "score.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_every_command_runs(tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    # downloads need a network, and what follows on them needs the download
    commands = [line for line in lines if "mitdb" not in line]
    assert len(commands) >= 8
    for command in commands:
        program, *words = shlex.split(command)
        if words[0] == "score" and "--workers" not in words:
            words += ["--workers", "1"]  # starting processes is tested elsewhere, and slow
        result = CliRunner().invoke(app, words)
        assert program == "telerhythm"
        assert result.exit_code == 0, f"{command}: {result.output}"


def test_every_piece_of_python_runs(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert len(names["r_peaks"]) > 50
    assert "16 0 {}" in capsys.readouterr().out
