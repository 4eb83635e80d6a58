"""Wards of simulated patients, of any size."""

from __future__ import annotations

from dataclasses import replace

from telerhythm.beds import MAX_REAL, SIMULATED, SITE, DemoBed, choose


def simulated(n_beds: int) -> list[DemoBed]:
    """The demo's simulated patients; in a large ward several beds have the same one."""
    chosen = choose(n_beds=MAX_REAL + len(SIMULATED))
    patients = [bed for bed in chosen if bed.settings.source == "simulated"]
    beds = []
    for i in range(n_beds):
        patient = patients[i % len(patients)]
        words = {
            "bed": str(i + 1),
            "patient": f"demo-{i + 1}",
            "device": f"{SITE}/bed-{i + 1}",
        }
        beds.append(replace(patient, settings=patient.settings.model_copy(update=words)))
    return beds
