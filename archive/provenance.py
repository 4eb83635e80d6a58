"""Where results come from: hashes of files, versions of software."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def sha256(file: Path) -> str:
    """Hash of a file's content, as `sha256sum` prints it."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of all that results depend on, and a hash of the analysis itself."""
    packages = ("telerhythm", "numpy", "numba", "scipy", "wfdb", "edfio", "pyarrow")
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in packages},
        "analysis_sha256": _analysis_hash(),
    }


def _analysis_hash() -> str:
    """Sources and weights of the rooms that the analysis is made of."""
    total = hashlib.sha256()
    for room in ("ecg", "dsp", "detectors"):
        spec = find_spec(room)
        root = Path(spec.origin).parent if spec and spec.origin else Path()
        for file in sorted(root.rglob("*")):
            if file.suffix in {".py", ".npz", ".json"}:
                total.update(f"{file.relative_to(root.parent)} {sha256(file)}\n".encode())
    return total.hexdigest()
