"""Write the reference pages from the code: ``python docs/generate.py``; a test holds them equal."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = (
    *(
        "spaces.building",
        "spaces.spaceport",
        "spaces.holding",
        "spaces.version",
        "spaces.contract",
        "spaces.card",
    ),
    *("spaces.space_vectors", "spaces.canaries", "spaces.change", "spaces.lineage"),
    *("spaces.compatibility.diff", "spaces.compatibility.adapted", "spaces.compatibility.gate"),
    *("spaces.compatibility.planning", "spaces.compatibility.migration"),
    *("storage.registry", "storage.aliases"),
    *("spaces.choosing", "spaces.choice"),
    *("networks.where", "networks.origins", "networks.pooling", "networks.training"),
    *(
        "geometry.similarity",
        "geometry.neighbors",
        "geometry.algebra",
        "geometry.alignment",
        "geometry.csls",
        "geometry.moments",
        "geometry.joint_moments",
        "geometry.spectrum",
        "geometry.cells",
    ),
    *(
        "quality.analogies",
        "quality.similarity",
        "quality.probe",
        "quality.ranking",
        "quality.selection",
        "quality.translation",
        "quality.overlap",
        "quality.cka",
        "quality.instability",
        "quality.second_order",
        "quality.recovery",
        "tokens",
        "vocabulary",
        "phrases",
        "progress",
        "methods",
        "errors",
    ),
    *("drift.panel.comparing", "drift.panel.verdict", "drift.panel.localization"),
    *("drift.sketches.basis", "drift.sketches.sketch"),
    *("monitoring.monitor", "monitoring.settings", "monitoring.budget", "monitoring.references"),
    *("monitoring.unseen", "monitoring.log", "monitoring.where", "monitoring.health"),
    *("monitoring.performance", "monitoring.attribution", "storage.alarms", "storage.monitors"),
    *("sources.base", "encoders.base", "adapters.base", "drift.base", "maps.base"),
    *("testing.sources", "testing.encoders", "testing.adapters", "testing.drift"),
)


def pages() -> dict[str, str]:
    """Name and text of each generated page."""
    return {"command_line.md": command_line(), "python.md": python()}


def command_line() -> str:
    """Every command with its whole help."""
    import typer

    from spaceport.cli.main import app

    lines = [
        "# The command line",
        "",
        "Written by `docs/generate.py` from the commands themselves.",
        "",
    ]
    for name, command in commands(typer.main.get_command(app), "spaceport"):
        context = command.make_context(name, [], resilient_parsing=True, terminal_width=96)
        lines += [f"## {name}", "", "```", command.get_help(context).rstrip(), "```", ""]
    return "\n".join(lines)


def commands(command: object, name: str) -> list[tuple[str, object]]:
    """Every command below `command` that does something, with its full name."""
    below = getattr(command, "commands", None)
    if not below:
        return [(name, command)]
    return [
        found for key, each in sorted(below.items()) for found in commands(each, f"{name} {key}")
    ]


def python() -> str:
    """Every public name of the main modules, and every method."""
    from spaceport import methods

    lines = [
        "# The Python calls",
        "",
        "Written by `docs/generate.py`; the docstrings say the rest.",
        "",
    ]
    for family in ("sources", "encoders", "maps"):
        lines += [f"## spaceport.{family}", "", "| call | what it is |", "|---|---|"]
        for name in methods.names(family):
            method = methods.load(family, name)
            lines.append(f"| `{family}.{name}{arguments(method)}` | {first_line(method)} |")
        lines.append("")
    for name in MODULES:
        module = import_module(f"spaceport.{name}")
        lines += [
            f"## spaceport.{name}",
            "",
            first_line(module),
            "",
            "| name | what it is |",
            "|---|---|",
        ]
        for public in module.__all__:
            lines += rows(public, getattr(module, public))
        lines.append("")
    return "\n".join(lines)


def rows(name: str, value: object) -> list[str]:
    """Table rows for a public name; a class with its public methods."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return [f"| `{name}` | a constant or a type |"]
    found = [f"| `{name}{arguments(value)}` | {first_line(value)} |"]
    if inspect.isclass(value):
        for key, member in vars(value).items():
            if not key.startswith("_") and (
                inspect.isfunction(member) or isinstance(member, property)
            ):
                shown = arguments(member) if inspect.isfunction(member) else ""
                found.append(f"| `{name}.{key}{shown}` | {first_line(member)} |")
    return found


def arguments(value: object) -> str:
    """Names of the parameters, in parentheses."""
    try:
        known = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return f"({', '.join(stars.get(p.kind, '') + p.name for p in known if p.name not in ('self', 'cls'))})"


def first_line(value: object) -> str:
    """The first line of the docstring, fit for a table."""
    return (inspect.getdoc(value) or "").split("\n")[0].replace("|", "\\|")


if __name__ == "__main__":
    for page, text in pages().items():
        (HERE / page).write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {page}\n")
