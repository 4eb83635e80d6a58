"""Offline training of the shipped models, from the shared records, with fixed seeds.

Needs `lightgbm`, which nothing needs at run time. Each module writes a model and its card to
`detectors/models/`.
"""
