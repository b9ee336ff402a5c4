"""What a monitor last found, as a text file that a Prometheus node exporter picks up.

The file is for the exporter's ``textfile`` collector: it is written whole under another name, brought
to the disk and renamed, so that a scrape sees the one before or the one after. What is not known
(a window without a test has no p-value) is left out, not told as 0.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaceport.errors import MissingExtra, ParameterError
from spaceport.storage.files import flush, write

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor
    from spaceport.storage.monitors import Verdict

__all__ = ["GAUGES", "Reading", "check_name", "readings", "render", "write_file"]

GAUGES = {
    "rows": ("spaceport_drift_rows", "Rows in the last window."),
    "p": ("spaceport_drift_p_value", "P-value of the last window that was tested."),
    "alpha": ("spaceport_drift_alpha", "What the p-value must not exceed for an alarm."),
    "effect": ("spaceport_drift_effect", "Size of the drift in the last window that was tested."),
    "open_alarms": ("spaceport_drift_open_alarms", "Alarms that nobody resolved."),
    "canaries": (
        "spaceport_drift_canaries_moved",
        "1 where the encoder gives its canaries other vectors than it did.",
    ),
    "ended": (
        "spaceport_drift_window_end_timestamp_seconds",
        "When the last window ended, in seconds since 1970.",
    ),
}
"""Of each field of `Reading` the gauge's name and help."""


@dataclass(frozen=True)
class Reading:
    """What is known of one segment of one space; None where it is not known.

    Attributes
    ----------
    space, monitor, segment : str
        The labels; an empty segment is all rows together.
    rows : float or None
    p, alpha, effect : float or None
    open_alarms : float or None
    canaries : float or None
        1 where the model moved, 0 where it did not.
    ended : float or None
        Seconds since 1970.
    """

    space: str
    monitor: str
    segment: str = ""
    rows: float | None = None
    p: float | None = None
    alpha: float | None = None
    effect: float | None = None
    open_alarms: float | None = None
    canaries: float | None = None
    ended: float | None = None


def readings(monitor: Monitor) -> list[Reading]:
    """What is known of each segment: its last window, and its last p-value."""
    last: dict[str | None, Verdict] = {}
    tested: dict[str | None, Verdict] = {}
    for verdict in monitor.history():
        last[verdict.segment] = verdict
        if verdict.p is not None:
            tested[verdict.segment] = verdict
    moved = _model_moved(monitor.history())
    standing = [alarm.segment for alarm in monitor.alarms() if alarm.state != "resolved"]
    found = []
    for segment, verdict in last.items():
        test = tested.get(segment)
        found.append(
            Reading(
                space=monitor.version.record.space,
                monitor=monitor.name,
                segment="" if segment is None else segment or "(none)",
                rows=verdict.rows,
                p=test.p if test else None,
                alpha=test.alpha if test else None,
                effect=test.effect if test else None,
                open_alarms=standing.count(segment),
                canaries=moved if segment is None else None,
                ended=_seconds(verdict.ends),
            )
        )
    return found


def render(readings: Sequence[Reading]) -> bytes:
    """Give the text in Prometheus's exposition format.

    Raises
    ------
    MissingExtra
        prometheus-client is not installed.
    ParameterError
        Two readings of one space, monitor and segment.
    """
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ModuleNotFoundError as error:
        raise MissingExtra.of("watch", "prometheus_client") from error
    _check_distinct(readings)
    registry = CollectorRegistry()
    for field, (name, told) in GAUGES.items():
        gauge: Any = Gauge(name, told, ("space", "monitor", "segment"), registry=registry)
        for reading in readings:
            value = getattr(reading, field)
            if value is not None:
                gauge.labels(*_labels(reading)).set(value)
    return generate_latest(registry)


def check_name(path: Path | str) -> Path:
    """Refuse a file that the collector would not read."""
    target = Path(path)
    if target.suffix != ".prom":
        raise ParameterError(
            f"Prometheus's textfile collector reads files that end in .prom. Got {target.name!r}.",
            "Let the name end so.",
        )
    return target


def write_file(path: Path | str, readings: Sequence[Reading]) -> None:
    """Write the file; one that is there is replaced by a whole one or stays.

    Raises
    ------
    ParameterError
        Another ending than ``.prom``, which the collector would pass over.
    """
    target = check_name(path)
    passing = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        write(passing, render(readings))
        passing.replace(target)
    finally:
        passing.unlink(missing_ok=True)
    flush(target.parent)


def _labels(reading: Reading) -> tuple[str, str, str]:
    told = (reading.space, reading.monitor, reading.segment)
    first, second, third = (text.encode("utf-8", "replace").decode() for text in told)
    return first, second, third


def _check_distinct(readings: Sequence[Reading]) -> None:
    known = set()
    for reading in readings:
        if _labels(reading) in known:
            raise ParameterError(
                f"{reading.space} has two readings of segment {reading.segment!r}.",
                "Give the last one of each segment.",
            )
        known.add(_labels(reading))


def _seconds(moment: str) -> float | None:
    """Seconds since 1970; None of a window that has a number in place of a time."""
    return None if moment.startswith("#") else datetime.fromisoformat(moment).timestamp()


def _model_moved(verdicts: Sequence[Verdict]) -> float | None:
    """1 where the last window of which it was asked says that the model moved, 0 where it did not."""
    told = [v.evidence["cause"]["verdict"] for v in verdicts if v.evidence.get("cause")]
    known = {"model": 1.0, "both": 1.0, "data": 0.0, "neither": 0.0}
    return known.get(told[-1]) if told else None
