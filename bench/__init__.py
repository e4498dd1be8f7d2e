"""Measurements of penstock beside its peers; run them with ``scripts/bench``.

Each bench is one module: it says what it compares and what the goal is. Peers and
penstock take turns, so that a busy moment of the machine meets all of them.
"""
