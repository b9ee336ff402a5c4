"""`export-onnx`: a model as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.common import AsJson, emit, say

__all__ = ["add_to"]


def export_onnx(
    model: Annotated[
        str, typer.Argument(help="A folder, an installed package (minilm), or owner/name@revision.")
    ],
    to: Annotated[Path, typer.Option("--to", help="A folder that does not exist yet.")],
    as_json: AsJson = False,
) -> None:
    """Write a Hugging Face text model as ONNX, every layer among its outputs."""
    from spaceport.errors import MissingExtra

    try:
        from spaceport.networks.exporting import export
    except ModuleNotFoundError as error:
        raise MissingExtra.of("torch", str(error.name)) from error

    departure = export(model, to)
    if as_json:
        emit([{"model": model, "folder": str(to), "largest difference": departure}], True)
        return
    say(f"{to}/model.onnx: every layer is within {departure:.1g} of torch's.")
    say(f"Use it: spaceport build texts … --method 'onnx({str(to)!r})'")


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("export-onnx", epilog="Example: spaceport export-onnx minilm --to minilm-onnx")(
        export_onnx
    )
