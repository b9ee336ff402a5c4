"""`layers`: what a network's layers are, and which of them serves best."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli._choice import plain, tell
from spaceport.cli.common import (
    AsJson,
    StoreCatalog,
    StorePath,
    emit,
    open_store,
    parameters,
    say,
)

if TYPE_CHECKING:
    from spaceport.sources.base import Source

__all__ = ["add_to"]

_NUMBERS = "Numbers, with commas between them."


def layers(
    model: Annotated[
        str, typer.Argument(help="A folder, a package (minilm), or owner/name@revision.")
    ],
    on: Annotated[
        Path | None,
        typer.Option("--on", help="Items to judge the layers by: a table, or a folder of media."),
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="The column with the text.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column to read off the vectors.")
    ] = None,
    pairs: Annotated[
        tuple[str, str] | None,
        typer.Option("--pairs", metavar="FIRST SECOND", help="The columns of two texts each."),
    ] = None,
    score_column: Annotated[
        str, typer.Option("--score-column", help="How alike people find the two of a pair.")
    ] = "score",
    test: Annotated[
        Path | None,
        typer.Option("--test", help="Other items for the proof [default: a share of --on]."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="linear (a regression) or neighbors (their vote).")
    ] = "linear",
    poolings: Annotated[
        str, typer.Option("--poolings", help="To try, with commas between them.")
    ] = "mean,cls,max",
    dimensions: Annotated[
        str, typer.Option("--dimensions", help=f"Shorter vectors to try. {_NUMBERS}")
    ] = "",
    prefer: Annotated[
        str,
        typer.Option("--prefer", help="Of what is not told apart, the cheapest; or the highest."),
    ] = "cheapest",
    side: Annotated[
        str, typer.Option("--side", help="encoder or decoder, of a network with both.")
    ] = "",
    sample: Annotated[int, typer.Option("--sample", min=1, help="Items to draw at most.")] = 2000,
    share: Annotated[
        float, typer.Option("--share", help="Held out for the proof, without --test.")
    ] = 0.25,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draw and the parts.")] = 0,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="A picture of the scores: .png or .svg.")
    ] = None,
    publish: Annotated[
        str | None, typer.Option("--publish", help="Build this space with the chosen layer.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter of activations: max_tokens=…"
        ),
    ] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option("--read", metavar="NAME=VALUE", help="How to read the files: delimiter=…"),
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="List every module, too.")] = False,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List the layers of a network, or measure which of them serves best."""
    told = parameters(settings or [])
    if on is None:
        _refuse_alone(publish=publish, draw=draw, test=test, label=label, pairs=pairs)
        _list(model, told, whole, as_json)
        return
    from spaceport.spaces.choosing import choose_layer

    _refuse_mixed(pairs, column, label, publish)
    read = parameters(reading or [], column=pairs[0] if pairs else column, label=label)
    source = _source(model, on, read, told)
    choice = choose_layer(
        model,
        source,
        label=label,
        pairs=(pairs[1], score_column) if pairs else None,
        test=None if test is None else _source(model, test, read, told),
        score=by,
        poolings=[name.strip() for name in poolings.split(",")],
        dimensions=_numbers(dimensions),
        prefer=prefer,
        side=side,
        sample=sample,
        share=share,
        seed=seed,
        **told,
    )
    if draw is not None:
        choice.draw(draw)
    version = None
    if publish is not None:
        version = choice.publish(open_store(store, catalog), publish, source)
    if as_json:
        say(
            json.dumps(
                plain(choice, None if version is None else version.reference), ensure_ascii=False
            )
        )
        return
    tell(choice)
    for line in (draw and f"Wrote {draw}.", version and f"Published {version}."):
        if line:
            say(line)


def _list(model: str, told: dict[str, Any], whole: bool, as_json: bool) -> None:
    from spaceport.spaces.choosing import layers as listed

    found = listed(model, **told)
    if as_json:
        emit([asdict(module) for module in found], True)
        return
    shown = [m for m in found if whole or m.layer is not None or "." not in m.name]
    emit(
        [
            {
                "name": module.name,
                "kind": module.kind,
                "layer": f"{module.side} {module.layer or ''}".strip(),
                "shape": " x ".join(map(str, module.shape)),
                "parameters": f"{module.parameters:,}",
                "compute": "" if module.compute is None else f"{module.compute:.0%}",
            }
            for module in shown
        ],
        False,
    )
    say(
        "\nshape: for a short example; compute: done behind the layer, of a whole pass"
        + ("" if whole else f"\n{len(found)} modules in all: --all lists them")
    )


def _source(model: str, path: Path, read: dict[str, Any], told: dict[str, Any]) -> Source:
    """The file or folder as the source of what the model takes."""
    from spaceport.methods import make

    encoder = make("encoders", "activations", {"model": model, **told})
    method = next(name for name in ("texts", "images", "audio") if encoder.takes(name))
    source: Source = make("sources", method, {"path": str(path), **read})
    return source


def _refuse_alone(**options: object) -> None:
    from spaceport.errors import ParameterError

    for name, value in options.items():
        if value is not None:
            raise ParameterError(f"`--{name}` needs items to measure on.", "Name them: --on FILE.")


def _refuse_mixed(
    pairs: tuple[str, str] | None, column: str | None, label: str | None, publish: str | None
) -> None:
    from spaceport.errors import ParameterError

    if pairs and (column or label):
        raise ParameterError(
            "`--pairs` names the texts, and the scores are the judgements.",
            "Leave out --column and --label.",
        )
    if pairs and publish:
        raise ParameterError(
            "Pairs are no items to publish.",
            "Choose first; then build a space of items with the encoder that is printed: --method.",
        )


def _numbers(text: str) -> list[int]:
    from spaceport.errors import ParameterError

    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise ParameterError(
            f"`{text}` are no whole numbers.", "Write --dimensions 128,64."
        ) from error


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples: spaceport layers minilm; spaceport layers minilm --on questions.csv "
        "--column question --label class --draw layers.png"
    )(layers)
