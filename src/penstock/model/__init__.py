"""Frozen values: what is run, how it ended, what happened. No behaviour, no I/O."""
