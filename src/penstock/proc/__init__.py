"""Processes: starting, signalling, waiting, reaping. The only place that may."""
