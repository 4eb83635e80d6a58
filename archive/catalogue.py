"""The catalogue of public databases: where they are, what is in them, on what terms."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from ecg import BadSetting


@dataclass(frozen=True, slots=True)
class Database:
    """A public database, as a row of the catalogue has it.

    Attributes
    ----------
    name : str
        Short name; also of the folder that it is downloaded to.
    title : str
    address : str
        Folder of its files; ends with a slash.
    page : str
        Its page for people.
    licence : str
    records : int
    size_mb : float
        About how much there is to download, MB.
    about : str
        What it is good for.
    cite : tuple of str
        What a publication that uses it should cite.
    checksums : str
        Its list of SHA-256 sums, `hash path` a line, relative to `address`.
    include, exclude : tuple of str
        Globs over the paths of that list: which files are wanted.
    """

    name: str
    title: str
    address: str
    page: str
    licence: str
    records: int
    size_mb: float
    about: str
    cite: tuple[str, ...]
    checksums: str = "SHA256SUMS.txt"
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()


def read_catalogue(file: Path) -> dict[str, Database]:
    """Databases by name, in the order of the file.

    Raises
    ------
    BadSetting
        If the file is missing or not TOML, or an entry lacks a key, has one too many or of a
        wrong type.
    """
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadSetting(
            f"{file}: there is no catalogue; run from a clone of telerhythm"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file}: not TOML: {error}") from error
    return {name: _database(f"{file}: {name}", name, entry) for name, entry in entries.items()}


def _database(where: str, name: str, entry: dict[str, Any]) -> Database:
    known = {field.name: field for field in fields(Database) if field.name != "name"}
    unknown = set(entry) - set(known)
    missing = {key for key, field in known.items() if field.default is MISSING} - set(entry)
    if unknown or missing:
        raise BadSetting(
            f"{where}: missing {', '.join(sorted(missing)) or 'nothing'}; "
            f"not known {', '.join(sorted(unknown)) or 'nothing'}"
        )
    values: dict[str, Any] = {}
    for key, value in entry.items():
        kind = str(known[key].type)
        if not _fits(value, kind):
            raise BadSetting(f"{where}: {key} is {value!r}; {kind} is needed")
        values[key] = tuple(value) if isinstance(value, list) else value
    if not values["address"].startswith(("https://", "http://")) or values["address"][-1] != "/":
        raise BadSetting(f"{where}: address is no http address that ends with a slash")
    return Database(name=name, **values)


def _fits(value: Any, kind: str) -> bool:
    if kind.startswith("tuple"):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    return isinstance(value, kinds[kind]) and not isinstance(value, bool)
