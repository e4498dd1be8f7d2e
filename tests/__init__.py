"""Tests of penstock; the shared pieces are `tests.commands` and `tests.leaks`."""
