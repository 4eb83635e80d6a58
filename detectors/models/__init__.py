"""Learnt weights, each beside a card that says from what and how."""
