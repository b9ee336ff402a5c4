"""What a version's fingerprint is over, part by part, so that a diff can name what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaceport.encoders.base import Encoder
from spaceport.errors import CorruptError
from spaceport.safe import read_json

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["FILE", "identity_of", "write"]

FILE = "identity.json"


def write(folder: Path, encoder: Encoder) -> None:
    """Write what tells `encoder` from others into a version's folder."""
    told = json.dumps(encoder.identity(), ensure_ascii=False, allow_nan=False, sort_keys=True)
    (folder / FILE).write_text(told, encoding="utf-8")


def identity_of(version: Version) -> dict[str, Any]:
    """What tells a version's encoder from others, as `Encoder.identity` gave it at publishing.

    Returns
    -------
    dict
        ``method``, ``revision``, ``parameters``, ``state``, ``arrays``, ``libraries``. Of imported
        vectors ``method`` is empty and ``vectors`` is the fingerprint. Of a version published before
        this was kept ``libraries`` is missing: it is read from the encoder, beside today's libraries.
    """
    store, record = version.store, version.record
    if FILE in store.files(record):
        return _read(store.read(record, FILE))
    if version.encoder is None:
        return {"method": "", "vectors": record.fingerprint}
    return {k: v for k, v in version.encoder.identity().items() if k != "libraries"}


def _read(data: bytes) -> dict[str, Any]:
    told = read_json(data, FILE)
    if not isinstance(told, dict):
        raise CorruptError(f"{FILE} is no JSON object.", "Run `spaceport verify`.")
    return told
