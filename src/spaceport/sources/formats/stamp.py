"""What a file of exported vectors says of itself: whose coordinates they are.

The keys, in the schema metadata of Arrow and Parquet and in the ``__metadata__`` of safetensors::

    spaceport.space        the space's name: news
    spaceport.version      the version's number: 1.2.0
    spaceport.fingerprint  64 hexadecimal digits over everything that changes the numbers
    spaceport.metric       cosine, dot or euclidean (may be missing)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

__all__ = ["Stamp"]

_PREFIX = "spaceport."
_FINGERPRINT = re.compile("[0-9a-f]{64}")
_LONGEST = 200


@dataclass(frozen=True)
class Stamp:
    """Whose coordinates some vectors are.

    Attributes
    ----------
    space, version, fingerprint : str
        See the keys above.
    metric : str
        The similarity under which distance carries meaning; empty where nobody told.
    """

    space: str
    version: str
    fingerprint: str
    metric: str = ""

    def metadata(self) -> dict[str, str]:
        """The keys with their values, as a file holds them.

        Examples
        --------
        >>> stamp = Stamp("news", "1.2.0", "0f" * 32)
        >>> stamp.metadata()["spaceport.version"], Stamp.read(stamp.metadata()) == stamp
        ('1.2.0', True)
        """
        return {_PREFIX + name: value for name, value in asdict(self).items() if value}

    @classmethod
    def read(cls, metadata: Mapping[str, str] | Mapping[bytes, bytes] | None) -> Stamp | None:
        """Undo `metadata`; None where a key is missing or has not the form it must have."""
        told = {_text(key): _text(value) for key, value in (metadata or {}).items()}
        found = {name: told.get(_PREFIX + name, "") for name in cls.__annotations__}
        stamp = cls(**found)
        whole = stamp.space and stamp.version and _FINGERPRINT.fullmatch(stamp.fingerprint)
        return stamp if whole and max(map(len, found.values())) <= _LONGEST else None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
