"""From samples to findings."""
