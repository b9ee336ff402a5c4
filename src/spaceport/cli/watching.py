"""`watch` and `alarms`: a version in production, window by window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spaceport.cli.common import AsJson, Space, StoreCatalog, StorePath, emit, open_store, say
from spaceport.errors import ParameterError

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor
    from spaceport.monitoring.performing import Told
    from spaceport.monitoring.report_tables import Table
    from spaceport.storage.alarms import Alarm
    from spaceport.storage.monitors import Verdict

__all__ = ["DRIFT", "add_to"]

DRIFT = 3
"""The exit code where there is a new alarm."""


def watch(
    space: Space,
    log: Annotated[
        Path, typer.Option("--log", help="What happened: Parquet, Arrow, CSV or JSON lines.")
    ],
    time: Annotated[str, typer.Option("--time", help="The log's column of times.")],
    every: Annotated[
        str | None,
        typer.Option("--every", help="How long a window is: month, week, '7 days', hour [month]."),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", help="False alarms you can live with ['1 false alarm per year']."),
    ] = None,
    segment: Annotated[
        str | None,
        typer.Option("--segment", help="A column: its values are judged one by one, too."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="What windows are compared with: version, first:1, rolling:3, season, in-sample, or a span "
            "of days like 2012-01-01..2012-12-31 [version; first:1 where the encoder learnt from it, or "
            "where it lacks the segments].",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", help="The effect that may be; drift within it does not alarm."),
    ] = None,
    least: Annotated[
        int | None, typer.Option("--least", min=1, help="Rows that a window must have [30].")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option("--id", help="The log's column of ids; a row known by its id counts once."),
    ] = None,
    vector: Annotated[
        str | None, typer.Option("--vector", help="The log's column of vectors.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", help="Encode this column by the version's encoder instead; repeatable."
        ),
    ] = None,
    prediction: Annotated[
        str | None, typer.Option("--prediction", help="The column of what a model said.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column of what was true.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", help="Read some of the rows: \"country == 'DE'\".")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="The zone of times that have none: UTC, Europe/Paris."),
    ] = None,
    canaries: Annotated[
        Path | None,
        typer.Option("--canaries", help="What production gave for the version's canaries."),
    ] = None,
    duplicates: Annotated[
        str,
        typer.Option("--duplicates", help="An id that stands twice: refuse, or count the first."),
    ] = "refuse",
    drop_broken: Annotated[
        bool, typer.Option("--drop-broken", help="Count rows without a sound vector, and go on.")
    ] = False,
    monitor: Annotated[
        str, typer.Option("--monitor", help="Which monitor, where a version has several.")
    ] = "default",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the report: .html, or its picture as .png or .svg."
        ),
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option("--prometheus", help="Write gauges for a node exporter: .prom.")
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook", envvar="SPACEPORT_WEBHOOK", help="POST new alarms there as JSON."
        ),
    ] = None,
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """Judge the windows of a log that are over; exit code 3 where there is a new alarm."""
    _check(output, prometheus, webhook)
    version = open_store(store, catalog)[space]
    watched = version.monitor(
        budget, every, segment=segment, reference=reference, tolerance=tolerance, least=least,
        name=monitor,
    )  # fmt: skip
    from spaceport.monitoring.log import Log

    events = Log(
        log, time=time, dimension=version.contract.dimension, id=id, vector=vector, column=column,
        segment=segment or watched.settings.segment, prediction=prediction, label=label, where=where,
        zone=zone, encoder=version.encoder if column else None, coordinates=version.coordinates,
        duplicates=duplicates,
    )  # fmt: skip
    known, before = {alarm.id for alarm in watched.alarms()}, watched.performance()
    verdicts = watched.update(
        events.events(),
        drop_broken=drop_broken,
        notify=webhook is not None,
        **_production(canaries),
    )
    fresh = [alarm for alarm in watched.alarms() if alarm.id not in known]
    told = {key: each for key, each in watched.performance().items() if before.get(key) != each}
    _show(watched, verdicts, told, fresh, as_json)
    delivered = _publish(watched, output, prometheus, webhook)
    if fresh:
        raise typer.Exit(DRIFT)
    if not delivered:
        raise typer.Exit(1)


def alarms(
    space: Annotated[str, typer.Argument(help="The space.")],
    acknowledge: Annotated[
        int | None, typer.Option("--acknowledge", help="Say that somebody looks after this alarm.")
    ] = None,
    resolve: Annotated[
        int | None, typer.Option("--resolve", help="Say that this alarm is over; --note says why.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Why; kept in the history.")] = "",
    store: StorePath = None,
    catalog: StoreCatalog = None,
    as_json: AsJson = False,
) -> None:
    """List a space's alarms, or acknowledge or resolve one."""
    if acknowledge is not None and resolve is not None:
        raise ParameterError("An alarm was to be acknowledged and resolved at once.", "Choose one.")
    opened = open_store(store, catalog)
    name = opened[space].record.space
    kept = opened.store.watched
    if acknowledge is not None:
        found = [kept.acknowledge(name, acknowledge, note)]
    elif resolve is not None:
        found = [kept.resolve(name, resolve, note)]
    else:
        found = kept.alarms(name)
    if as_json:
        emit([_told(alarm) for alarm in found], True)
    elif not found:
        say(f"{name} has no alarms.")
    else:
        emit([_row(alarm) for alarm in found], False)


def _check(output: Path | None, prometheus: Path | None, webhook: str | None) -> None:
    """Refuse what could not be written or sent before anything is read."""
    if output is not None:
        from spaceport.monitoring.report import check_ending

        check_ending(output)
    if prometheus is not None:
        from spaceport.monitoring.prometheus import check_name

        check_name(prometheus)
    if webhook is not None:
        from spaceport.monitoring.notify import address

        address(webhook)


def _production(canaries: Path | None) -> dict[str, Any]:
    return {} if canaries is None else {"canaries": canaries}


def _show(
    monitor: Monitor,
    verdicts: Sequence[Verdict],
    performance: Told,
    fresh: Sequence[Alarm],
    as_json: bool,
) -> None:
    if as_json:
        emit([_as_json(monitor, verdicts, performance, fresh)], True)
        return
    if not verdicts:
        say("No window is over that was not judged before.")
    else:
        emit([_verdict(verdict) for verdict in verdicts], False)
    for title, head, table in _performance(monitor, performance):
        say(f"\n{title}")
        emit([_short(dict(zip(head, row, strict=True))) for row in table], False)
    for alarm in fresh:
        rows = "" if alarm.segment is None else f", segment {alarm.segment}"
        say(f"ALARM {alarm.id} of {alarm.space}{rows}: {', '.join(alarm.windows)}.")


def _as_json(
    monitor: Monitor, verdicts: Sequence[Verdict], performance: Told, fresh: Sequence[Alarm]
) -> dict[str, Any]:
    of = {"monitor": monitor.name, "version": monitor.version.reference}
    return {
        **of,
        "windows": [{**of, **asdict(verdict)} for verdict in verdicts],
        "performance": [
            {"window": window, "segment": segment, **told}
            for (window, segment), told in performance.items()
        ],
        "alarms": [_told(alarm) for alarm in fresh],
    }


def _performance(monitor: Monitor, found: Told) -> Sequence[Table]:
    """How well was predicted, where predictions were logged."""
    if not found:
        return []
    from spaceport.monitoring.cells_by_window import named_cells
    from spaceport.monitoring.report_tables import performance

    return performance(found, named_cells(monitor.version))


def _short(row: dict[str, str]) -> dict[str, str]:
    """A row that a terminal has room for: the parts of a change without their intervals."""
    left_out = ("labeled",) if "score" in row else ()
    parts = {name: row[name].partition(" (")[0] for name in row if name.startswith("of it ")}
    return {name: text for name, text in (row | parts).items() if name not in left_out}


def _publish(
    monitor: Monitor, output: Path | None, prometheus: Path | None, webhook: str | None
) -> bool:
    """Write and send what was asked for; whether all that waited was delivered."""
    if output is not None:
        from spaceport.monitoring.report import write

        write(monitor, output)
    if prometheus is not None:
        from spaceport.monitoring.prometheus import readings, write_file

        write_file(prometheus, readings(monitor))
    return webhook is None or _sent(monitor, webhook)


def _sent(monitor: Monitor, webhook: str) -> bool:
    from spaceport.monitoring.notify import address, send

    box = monitor.outbox()
    failed = [each for each in send(box, webhook) if not each.delivered] if box else []
    if failed:
        sys.stderr.write(
            f"spaceport: {address(webhook)} did not take an alarm: {failed[0].reason}.\n"
            "It is kept, and sent when the same command runs again.\n"
        )
    return not failed


def _verdict(verdict: Verdict) -> dict[str, Any]:
    again = " (again)" if verdict.revised else ""
    return {
        "window": verdict.window + again,
        "segment": "all rows" if verdict.segment is None else verdict.segment,
        "rows": verdict.rows,
        "p": _figure(verdict.p),
        "alpha": _figure(verdict.alpha),
        "effect": _figure(verdict.effect),
        "verdict": verdict.state,
    }


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _row(alarm: Alarm) -> dict[str, Any]:
    noted = [event for event in alarm.events if event.note]
    return {
        "alarm": alarm.id,
        "monitor": alarm.monitor,
        "segment": "all rows" if alarm.segment is None else alarm.segment,
        "state": alarm.state,
        "opened": alarm.opened,
        "windows": ", ".join(alarm.windows),
        "note": noted[-1].note if noted else "",
    }


def _told(alarm: Alarm) -> dict[str, Any]:
    return {**asdict(alarm), "windows": alarm.windows}


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog="Example: spaceport watch abstracts@production --log production.parquet --time date "
        '--every month --budget "1 false alarm per year" -o report.html'
    )(watch)
    app.command(
        epilog='Example: spaceport alarms abstracts --resolve 3 --note "a new conference was added"'
    )(alarms)
