"""A linear classifier as two small files: weights in safetensors, the classes' names in JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.errors import InputError, SpaceportError
from spaceport.quality.linear import LinearClassifier
from spaceport.safe import read_arrays, read_json

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.tasks.base import Read

__all__ = ["open_classifier", "read_classifier", "write_classifier"]

MOST = 256 << 20
_HOW = (
    "a safetensors file with `coef` and `intercept` and, in its metadata, `classes` as a JSON list"
)


def write_classifier(folder: Path, classifier: LinearClassifier) -> None:
    """Write ``probe.safetensors`` and ``classes.json`` into `folder`."""
    from safetensors.numpy import save_file

    arrays = {"coef": classifier.coef, "intercept": classifier.intercept}
    save_file(arrays, folder / "probe.safetensors")
    told = json.dumps(list(classifier.classes), ensure_ascii=False)
    (folder / "classes.json").write_text(told, encoding="utf-8")


def read_classifier(read: Read) -> LinearClassifier:
    """Undo `write_classifier`."""
    arrays, _ = read_arrays(read("probe.safetensors"), "the probe")
    classes = read_json(read("classes.json"), "classes.json")
    return LinearClassifier(arrays["coef"], arrays["intercept"], tuple(classes))


def open_classifier(path: str | os.PathLike[str]) -> LinearClassifier:
    """Read a classifier that was learnt elsewhere.

    Parameters
    ----------
    path : path
        A safetensors file with ``coef`` (c, d) and ``intercept`` (c,), or one row for two classes, as
        scikit-learn's linear models have them; its metadata has ``classes``, a JSON list of c names.
        Or a JSON file with the three.

    Raises
    ------
    InputError
        It cannot be read, a part is missing, or the shapes do not fit each other.
    """
    place = Path(path)
    name = place.name
    try:
        if place.suffix == ".json":
            found = read_json(_bytes(place), name, kind=InputError)
        else:
            arrays, told = read_arrays(_bytes(place), name, kind=InputError)
            found = {**arrays, "classes": read_json(told["classes"].encode(), name, kind=InputError)}  # fmt: skip
        return _classifier(found)
    except SpaceportError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is no linear classifier.", f"Give {_HOW}.") from error


def _bytes(place: Path) -> bytes:
    try:
        if place.stat().st_size > MOST:
            raise InputError(f"{place} has more than {MOST:,} bytes.", "Give a linear classifier.")
        return place.read_bytes()
    except OSError as error:
        raise InputError(
            f"{place} cannot be read: {error.strerror or error}.", "Check the path."
        ) from error


def _classifier(found: Any) -> LinearClassifier:
    classes = found["classes"]
    if not isinstance(classes, list):
        raise TypeError(classes)
    return LinearClassifier(
        np.asarray(found["coef"], np.float64),
        np.asarray(found["intercept"], np.float64),
        tuple(map(str, classes)),
    )
