"""Training, evaluation and data handling for CPython; never part of the page."""
