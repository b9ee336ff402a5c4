"""`spaceport build …`: from a source to a published version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, StoreCatalog, StorePath, emit, open_store, parameters, say

if TYPE_CHECKING:
    from spaceport.encoders.base import Encoder
    from spaceport.sources.base import Source

__all__ = ["app"]

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
Wait = Annotated[
    float, typer.Option("--wait", help="Seconds to wait for another writer of the same space.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Text encoding of the files.")]


@app.command(epilog="Example: spaceport build words wiki-en/*.gz --space words-en --dimension 100")
def words(
    paths: Annotated[list[str], typer.Argument(help="Text files, .gz, folders or globs.")],
    space: SpaceName,
    method: Method = "word2vec",
    dimension: Dimension = None,
    window: Annotated[
        int | None, typer.Option(min=1, help="Words on either side that count as context.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the text.")] = None,
    minimum_count: Annotated[int | None, typer.Option(min=1, help="Leave rarer words out.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Training threads [default: all cores].")
    ] = None,
    reproducible: Annotated[
        bool | None,
        typer.Option("--reproducible", help="The same bytes from any number of threads."),
    ] = None,
    settings: Settings = None,
    metric: Metric = "cosine",
    encoding: Encoding = "utf-8",
    refit: Refit = False,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Learn word vectors from running text."""
    from spaceport import sources

    chosen = parameters(
        settings or [],
        dimension=dimension,
        window=window,
        epochs=epochs,
        minimum_count=minimum_count,
        threads=threads,
        reproducible=reproducible,
    )
    source = sources.corpus(*paths, encoding=encoding)
    _build(
        store,
        catalog,
        space,
        _encoder(method, chosen),
        source,
        as_json,
        metric=metric,
        refit=refit,
        wait=wait,
    )


@app.command(
    epilog="Example: spaceport build texts papers.jsonl.gz --column abstract --label venue --space papers"
)
def texts(
    path: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSONL (each also .gz), Parquet, or a folder of texts.")
    ],
    space: SpaceName,
    column: Annotated[
        str | None, typer.Option("--column", help="The column with the text.")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option("--id", help="The column with the ids [default: made from the content]."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column to color and judge by.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Metadata columns to keep [default: all].")
    ] = None,
    skip_empty: Annotated[
        bool, typer.Option("--skip-empty", help="Leave out items without text.")
    ] = False,
    keep_text: Annotated[bool, typer.Option(help="Store the text beside the vectors.")] = True,
    method: Method = "lsa",
    dimension: Dimension = None,
    settings: Settings = None,
    metric: Metric = "cosine",
    encoding: Encoding = "utf-8",
    refit: Refit = False,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Embed the texts of a table or a folder."""
    from spaceport import sources

    source = sources.texts(
        str(path),
        column=column,
        id=id,
        label=label,
        keep=keep or None,
        encoding=encoding,
        skip_empty=skip_empty,
    )
    encoder = _encoder(method, parameters(settings or [], dimension=dimension))
    _build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, keep_text=keep_text, rows="items", refit=refit, wait=wait,
    )  # fmt: skip


@app.command(epilog="Example: spaceport build pydocs --space python-docs")
def pydocs(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Folders of Python source [default: this Python's installation]."),
    ] = None,
    space: SpaceName = "python-docs",
    method: Method = "lsa",
    dimension: Dimension = None,
    settings: Settings = None,
    refit: Refit = False,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Embed the documentation of a Python installation, read from its source files."""
    from spaceport import sources

    encoder = _encoder(method, parameters(settings or [], dimension=dimension))
    _build(
        store,
        catalog,
        space,
        encoder,
        sources.pydocs(paths or None),
        as_json,
        refit=refit,
        wait=wait,
    )


def _encoder(method: str, params: dict[str, Any]) -> Encoder:
    """Build the encoder that `--method` names, its parameters changed by the other options."""
    from spaceport import methods

    encoder: Encoder = methods.parse("encoders", method)
    return (
        methods.make("encoders", encoder.name, {**encoder.params(), **params})
        if params
        else encoder
    )


def _build(
    store: Path | None,
    catalog: str | None,
    space: str,
    encoder: Encoder,
    source: Source,
    as_json: bool,
    **told: Any,
) -> None:
    version, built = open_store(store, catalog).built(space, encoder, source, **told)
    if as_json:
        row = {
            "version": version.reference,
            "change": built.change.kind,
            "reason": built.change.reason,
        }
        emit([row | {"rows": len(version), "dimension": version.contract.dimension}], True)
        return
    if built.change.kind == "none":
        say(f"Nothing changed: {version} stays.")
        return
    say(f"Published {version} ({built.change.kind}: {built.change.reason})")
    if built.plan is not None:
        say(str(built.plan))
