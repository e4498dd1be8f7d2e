"""Decisions: from the model to what is to be done. Pure."""
