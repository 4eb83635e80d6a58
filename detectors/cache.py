"""Numba's cache on disk, kept honest.

Numba compiles a kernel again when the file of that kernel has changed, but not when a kernel that
it calls, in another file, has. So after an update old code could live on inside a cached caller.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_ROOMS = (Path(__file__).parent, Path(__file__).parent.parent / "dsp")


def drop_stale() -> int:
    """Remove compiled kernels that are older than any source of the rooms; give their number."""
    newest = max(p.stat().st_mtime for room in _ROOMS for p in room.rglob("*.py"))
    dropped = 0
    for room in _ROOMS:
        for compiled in (room / "__pycache__").glob("*.nb[ic]"):
            # another process may be first, or the folder not ours: Numba then caches elsewhere
            with suppress(OSError):
                if compiled.stat().st_mtime < newest:
                    compiled.unlink()
                    dropped += 1
    return dropped
