"""One module a command; `telerhythm.cli` puts them together."""
