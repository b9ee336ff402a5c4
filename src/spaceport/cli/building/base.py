"""What the commands of `spaceport build` share: their options, and the build itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, StoreCatalog, StorePath, emit, open_store, parameters, say

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.sources.base import Source

__all__ = [
    "AsJson",
    "Bump",
    "Dimension",
    "Encoding",
    "Label",
    "Method",
    "Metric",
    "Permit",
    "Refit",
    "Settings",
    "SpaceName",
    "StoreCatalog",
    "StorePath",
    "Wait",
    "app",
    "build",
    "encoder_of",
    "parameters",
]

app = typer.Typer(
    help="Build a space from a source and publish a version; nothing is published where nothing changed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

SpaceName = Annotated[str, typer.Option("--space", help="The space's name.")]
Method = Annotated[
    str, typer.Option("--method", help="An encoder, or one with parameters: 'lsa(dimension=200)'.")
]
Dimension = Annotated[int | None, typer.Option("--dimension", min=1, help="Length of the vectors.")]
Metric = Annotated[str, typer.Option("--metric", help="cosine, dot or euclidean.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter of the encoder."),
]
Refit = Annotated[
    bool, typer.Option("--refit", help="Learn anew: a new major, even if parameters are the same.")
]
Bump = Annotated[
    str | None,
    typer.Option("--bump", help="The least kind of version: minor or major; measured may be more."),
]
Permit = Annotated[
    list[int] | None,
    typer.Option("--permit", help="A shorter dimension to permit; what is lost is measured."),
]
Wait = Annotated[
    float, typer.Option("--wait", help="Seconds to wait for another writer of the same space.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Text encoding of the files.")]
Label = Annotated[str | None, typer.Option("--label", help="The column to color and judge by.")]


def encoder_of(method: str, params: dict[str, Any]) -> Encoder:
    """Build the encoder that `--method` names, its parameters changed by the other options."""
    from spaceport import methods

    name, told = methods.read("encoders", method)
    encoder: Encoder = methods.make("encoders", name, told | params)
    return encoder


def build(
    store: str | None,
    catalog: str | None,
    space: str,
    encoder: Encoder,
    source: Source,
    as_json: bool,
    **told: Any,
) -> None:
    """Build and publish, and say what was done."""
    version, built = open_store(store, catalog).built(space, encoder, source, **told)
    if as_json:
        row = {
            "version": version.reference,
            "change": built.change.kind,
            "reason": built.change.reason,
            "measured": built.measured,
        }
        emit([row | {"rows": len(version), "dimension": version.contract.dimension}], True)
        return
    if built.change.kind == "none":
        say(f"Nothing changed: {version} stays.")
        return
    say(f"Published {version} ({built.change.kind}: {built.change.reason})")
    for line in built.measured:
        say(f"  {line}")
    for column, doubt in source.facts().get("doubtful_columns", {}).items():
        say(f"Look at the column {column}: {doubt}.")
    if built.plan is not None:
        say(str(built.plan))
