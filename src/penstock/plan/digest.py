"""Digests: 32 characters that stand for a text or for what is in a file."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # hashlib loads OpenSSL as well, in 3 ms
except ImportError:  # an interpreter that has it elsewhere
    from hashlib import blake2b

_BYTES = 16


def digest_of(text: str) -> str:
    """The digest of a text."""
    summary = begin_digest()
    summary.update(text.encode("utf-8", "surrogatepass"))
    return summary.hexdigest()


def begin_digest() -> blake2b:
    """A digest of what it will be given."""
    return blake2b(digest_size=_BYTES)
