"""The errors that telerhythm raises: one to catch them all, one for each kind of input."""

from __future__ import annotations


class TelerhythmError(Exception):
    """Anything that telerhythm raises on purpose."""


class BadInput(TelerhythmError, ValueError):
    """Input that we refuse. The message says what is wrong, where, and what to do."""


class BadSignal(BadInput):
    """Samples of a shape, type, rate or lead layout that cannot be analysed."""


class BadFrame(BadInput):
    """A message from a device that is not a frame as `docs/wire.md` specifies it."""


class BadRecord(BadInput):
    """A record or annotation file that is missing, cut short or not readable."""


class BadSetting(BadInput):
    """A setting with a wrong value: the message names file, key and what is allowed."""


class StoreError(TelerhythmError):
    """The store cannot do what was asked: disk full, file damaged, server away."""
