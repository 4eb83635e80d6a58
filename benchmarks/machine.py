"""One sentence about the machine and the versions that figures come from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe(*packages: str) -> str:
    """Processor, cores, Python, and the versions of `packages` beside ours."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [s.split(":")[1] for s in cpuinfo.read_text().splitlines() if "model name" in s]
        model = names[0].strip() if names else model
    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {version(name)}" for name in ("telerhythm", *packages))
    return f"{model}, {cores} cores, Python {platform.python_version()}; {versions}."
