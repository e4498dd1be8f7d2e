"""Whether a job is up to date, and if not, why. Pure."""

from __future__ import annotations

from penstock.plan.fingerprint import Fingerprint, differences
from penstock.state.outputs import Signs
from penstock.state.store import Attempt, Success


def reasons(
    now: Fingerprint, success: Success | None, attempt: Attempt | None, signs: Signs
) -> tuple[str, ...]:
    """Why a job is to be run, each reason in a few words; none: it is up to date.

    Args:
        now: its fingerprint.
        success: the last one.
        attempt: the last one, if that was no success.
        signs: how the outputs of the last success stand now.
    """
    told: list[str] = []
    if attempt is not None:
        told.append(f"its last run {attempt.ending or 'was cut short'}")
    if success is None:
        return (*told, "it has never succeeded") if told else ("never run",)
    told.extend(differences(success.fingerprint, now))
    for path, sign in success.outputs.items():
        if signs.get(path) is None:
            told.append(f"output {path} is missing")
        elif signs[path] != sign:
            told.append(f"output {path} was changed by something else")
    return tuple(told)
