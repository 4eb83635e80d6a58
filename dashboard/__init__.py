"""What people see: the ward page and its live traces."""

from dashboard.launch import command, environment

__all__ = ["command", "environment"]
