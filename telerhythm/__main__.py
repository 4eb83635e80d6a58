"""`python -m telerhythm` is `telerhythm`."""

from telerhythm.cli import main

main()
