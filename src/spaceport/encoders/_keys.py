"""Where requests go and with which key: what may be told, and when a key is sent.

A key is read from the environment at each request and goes into one header; it is never kept, and is
cut out of whatever an endpoint says before that is shown.
"""

from __future__ import annotations

import os
import re

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from spaceport.errors import InputError, NotFoundError, ParameterError

__all__ = ["HOSTS", "check_key", "check_url", "secret"]

HOSTS = "SPACEPORT_REMOTE_HOSTS"
"""The environment variable with the hosts to which an encoder read from a store may send a key."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def check_url(url: object) -> str:
    """Check the address under which ``/embeddings`` lies.

    Raises
    ------
    ParameterError
        It is not http or https, or carries a password, a query or a fragment, which would be stored.
    """
    try:
        parts = parse_url(url) if isinstance(url, str) else None
    except LocationParseError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.host:
        raise ParameterError(
            f"`url` must be an http or https address. Got {url!r}.",
            "Give it up to the version, for example https://api.openai.com/v1.",
        )
    if parts.auth or parts.query or parts.fragment:
        raise ParameterError(
            "`url` must hold no password, no query and no fragment: it is stored with the version.",
            "Give only scheme, host and path; the key's environment variable goes into `key`.",
        )
    return str(url)


def check_key(key: object) -> str | None:
    """Check that `key` can be an environment variable's name; what came is not shown, it may be a key."""
    if key is None or (isinstance(key, str) and _VARIABLE.fullmatch(key)):
        return key
    raise ParameterError(
        "`key` must be an environment variable's name, in capitals (what came is not shown).",
        "Put the key into the environment and give its name, for example OPENAI_API_KEY.",
    )


def secret(key: str | None, host: str, stored: bool) -> str:
    """Give the key that the environment variable `key` holds; empty where none is wanted.

    Parameters
    ----------
    key : str or None
        The variable's name.
    host : str
        Where the key will go.
    stored : bool
        It was a file that named both, so the environment must allow the host.

    Raises
    ------
    ParameterError
        The host is not allowed.
    NotFoundError
        The variable is not set.
    InputError
        It holds what no key does.
    """
    if key is None:
        return ""
    allowed = [name.strip() for name in os.environ.get(HOSTS, "").split(",")]
    if stored and host not in allowed:
        raise ParameterError(
            f"This encoder was read from a store, and would send ${key} to {host}.",
            f"If you trust both, set {HOSTS}={host} in the environment.",
        )
    held = os.environ.get(key, "").strip()
    if not held:
        raise NotFoundError(
            f"The environment variable {key} is not set, and {host} wants a key.",
            f"Run: export {key}=…, or choose key=None for an endpoint without one.",
        )
    if not held.isascii() or not held.isprintable() or " " in held:
        raise InputError(
            f"The environment variable {key} holds characters that no key has.",
            "Copy the key again.",
        )
    return held
