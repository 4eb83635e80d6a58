"""Numba kernels on samples: stateful, no input or output."""
