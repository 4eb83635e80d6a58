"""Which patient lies where, and which device is on the patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ecg import BadSetting


@dataclass(frozen=True, slots=True)
class Bed:
    """A bed, the patient in it and the device on the patient.

    Attributes
    ----------
    ward, bed : str
        Words of topics: letters, digits, `_` and `-`.
    patient : str
        A pseudonym.
    device : str
        `site/device`.
    label : str
        What people call the bed or its signal.
    source : {"device", "real", "simulated"}
        A device at a patient, a replayed real record, a replayed simulated one.
    """

    ward: str
    bed: str
    patient: str
    device: str
    label: str = ""
    source: Literal["device", "real", "simulated"] = "device"

    def __str__(self) -> str:
        return f"{self.ward}/{self.bed}"


class Registry:
    """All beds, each with a device of its own.

    Iterating gives the beds in the order in which they were named.

    Raises
    ------
    BadSetting
        If two beds have one device or one patient, or the same bed is there twice: names both.
        Two streams of one patient would mix in the store.
    """

    def __init__(self, beds: Iterable[Bed]) -> None:
        self._by_device: dict[str, Bed] = {}
        places: dict[tuple[str, str], Bed] = {}
        patients: dict[str, Bed] = {}
        for bed in beds:
            if twin := places.get((bed.ward, bed.bed)):
                raise BadSetting(
                    f"bed {bed} is there twice, with device {twin.device} and with device "
                    f"{bed.device}: give each bed of a ward its own name"
                )
            if twin := self._by_device.get(bed.device):
                raise BadSetting(
                    f"device {bed.device} is at bed {twin} and at bed {bed}: "
                    "a device is at one bed only"
                )
            if twin := patients.get(bed.patient):
                raise BadSetting(
                    f"patient {bed.patient} is in bed {twin} and in bed {bed}: "
                    "a patient is in one bed only"
                )
            places[bed.ward, bed.bed] = bed
            self._by_device[bed.device] = bed
            patients[bed.patient] = bed

    def __iter__(self) -> Iterator[Bed]:
        return iter(self._by_device.values())

    def __len__(self) -> int:
        return len(self._by_device)

    def at_device(self, device: str) -> Bed | None:
        """The bed that a device (`site/device`) is at; None for an unknown device."""
        return self._by_device.get(device)
