"""How many descriptors this process may have open."""

from __future__ import annotations

import resource


def affordable(own: int, each: int, wanted: int) -> int:
    """For how many jobs there are descriptors: at least 1, maybe more than `wanted`.

    If need be, our soft limit is raised. Only the user's process does so, and after its
    nursery was forked: commands have the limit that penstock was started with, since
    who uses select(2) can have no larger one.

    Args:
        own: how many are needed in any case.
        each: how many for a job.
        wanted: for how many jobs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = own + each * wanted
    if soft < needed and hard != resource.RLIM_INFINITY:
        soft = min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, (soft - own) // each)


def why_not_more() -> str:
    """What to look at, for who wants more jobs at once than that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return f"see `ulimit -Hn`, it is {hard}"
