"""A command of the consumer's own, whose exit code decides."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import positive
from spaceport.errors import InputError, ParameterError
from spaceport.spaces.compatibility.tasks.base import Read, Replay, Scores, Task, Through
from spaceport.spaces.compatibility.tasks.notes import read_notes, write_notes

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["CommandTask"]

TAIL = 2000
"""Bytes of the last output that are kept."""

_MOST = 1000


@dataclass(frozen=True)
class _Outcome:
    right: bool
    said: str


class CommandTask(Task):
    """1 where the command exits with 0, else 0.

    It is run as a list of arguments, without a shell, in the working folder, with the environment of
    whoever promotes and besides:

    ======================  ==================================================================
    SPACEPORT_STORE         where the store lies
    SPACEPORT_VERSION       the candidate, ``news@2.0.0``
    SPACEPORT_BASELINE      the version that the consumer was registered on
    SPACEPORT_ADAPTER       the adapter's number, where the run is the one through the adapter
    ======================  ==================================================================

    Parameters
    ----------
    arguments : sequence of str
        The program and its arguments.
    timeout : float
        Seconds after which it has failed; it and its children are then killed.
    """

    def __init__(self, arguments: Sequence[str], timeout: float = 600.0) -> None:
        if isinstance(arguments, str) or not arguments or not all(_plain(a) for a in arguments):
            raise ParameterError(
                f"`command` must be a list of arguments, the program first. Got {arguments!r}.",
                'Write for example ["python", "check.py", "--strict"].',
            )
        self.kind = "command"
        self.arguments = [str(argument) for argument in arguments]
        self.timeout = positive(timeout, "timeout")
        self.measure = "exit code 0"

    def prepare(self, pinned: Version, where: str) -> None:
        """Run it on the pinned version, where it must exit with 0."""
        outcome = self._run(pinned, pinned, None, where)
        if not outcome.right:
            raise InputError(
                f"The command fails on {pinned.reference}, where it should pass: {outcome.said}",
                "Mend it, or pin the version that it passes on.",
            )
        self.baseline = _scores(outcome)

    def replay(
        self, candidate: Version, pinned: Version, through: Through | None, where: str, anew: bool
    ) -> Replay:
        """Run it once with the candidate alone and, if that fails, once with the adapter."""
        raw = self._run(candidate, pinned, None, where)
        if raw.right or through is None:
            return Replay(_scores(raw), None, note=raw.said)
        adapted = self._run(candidate, pinned, through, where)
        return Replay(_scores(raw), _scores(adapted), note=adapted.said)

    def facts(self) -> dict[str, Any]:
        """What will be run."""
        return {
            "kind": self.kind,
            "measure": self.measure,
            "scored": 1,
            "command": self.arguments,
            "timeout": self.timeout,
        }

    def save(self, folder: Path) -> None:
        """Write the notes."""
        notes = {"kind": self.kind, "command": self.arguments, "timeout": self.timeout}
        write_notes(folder, notes, self.baseline)

    @classmethod
    def load(cls, read: Read) -> CommandTask:
        """Undo `save`."""
        notes, baseline = read_notes(read)
        task = cls(notes["command"], notes["timeout"])
        task.baseline = baseline
        return task

    def _run(
        self, candidate: Version, pinned: Version, through: Through | None, where: str
    ) -> _Outcome:
        told = {
            "SPACEPORT_STORE": where,
            "SPACEPORT_VERSION": candidate.reference,
            "SPACEPORT_BASELINE": pinned.reference,
            "SPACEPORT_ADAPTER": "" if through is None else str(through.artifact),
        }
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    self.arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=os.environ | told,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                return _Outcome(False, f"{self.arguments[0]} cannot be started: {error}")
            try:
                code = process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                return _Outcome(False, f"it took more than {self.timeout:g} s; {_tail(output)}")
            finally:
                _end(process)
            said = f"exit code {code}; {_tail(output)}"
            return _Outcome(code == 0, said)


def _plain(argument: object) -> bool:
    return isinstance(argument, str) and "\0" not in argument and len(argument) <= _MOST * 10


def _scores(outcome: _Outcome) -> Scores:
    return np.array([float(outcome.right)])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the command and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(output: IO[bytes]) -> str:
    """The last lines that it wrote, on one line."""
    end = output.seek(0, os.SEEK_END)
    output.seek(max(end - TAIL, 0))
    lines = output.read().decode("utf-8", "replace").split("\n")
    said = " | ".join(line.strip() for line in lines[-8:] if line.strip())
    return f"it said: {said}" if said else "it said nothing"
