"""Sinks: whoever is told what happens in a run."""
