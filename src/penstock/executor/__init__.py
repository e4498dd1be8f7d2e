"""Whoever runs jobs: the local pool, the fake, and the seam between them."""
