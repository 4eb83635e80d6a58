"""Records on disk: read, write, score."""
