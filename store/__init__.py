"""The memory: waveforms, findings, alarms."""
