"""From findings to a person."""
