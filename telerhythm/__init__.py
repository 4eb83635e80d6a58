"""The front door: commands, settings, serve, demo."""
