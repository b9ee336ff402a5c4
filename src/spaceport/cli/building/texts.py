"""`spaceport build words`, `texts`, `pydocs`: spaces of words and of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spaceport.cli.building.base import (
    AsJson,
    Bump,
    Dimension,
    Encoding,
    Label,
    Method,
    Metric,
    Permit,
    Refit,
    Settings,
    SpaceName,
    StoreCatalog,
    StorePath,
    Wait,
    app,
    build,
    encoder_of,
    parameters,
)

__all__ = ["pydocs", "texts", "words"]


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
    bump: Bump = None,
    permit: Permit = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Let the latest version's encoder go on with this text."),
    ] = False,
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
    build(
        store,
        catalog,
        space,
        encoder_of(method, chosen),
        source,
        as_json,
        metric=metric,
        refit=refit,
        bump=bump,
        dimensions=permit or (),
        resume=resume,
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
    label: Label = None,
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
    bump: Bump = None,
    permit: Permit = None,
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
    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store, catalog, space, encoder, source, as_json,
        metric=metric, keep_text=keep_text, rows="items", refit=refit, bump=bump, dimensions=permit or (), wait=wait,
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
    bump: Bump = None,
    permit: Permit = None,
    wait: Wait = 0.0,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Embed the documentation of a Python installation, read from its source files."""
    from spaceport import sources

    encoder = encoder_of(method, parameters(settings or [], dimension=dimension))
    build(
        store,
        catalog,
        space,
        encoder,
        sources.pydocs(paths or None),
        as_json,
        refit=refit,
        bump=bump,
        dimensions=permit or (),
        wait=wait,
    )
