"""The documentation of a Python installation, found by parsing its source files."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

import pyarrow as pa

from spaceport.arrays import integer
from spaceport.errors import InputError, ParameterError
from spaceport.sources import _docstrings
from spaceport.sources._docstrings import Documented, examine
from spaceport.sources._files import existing, valid
from spaceport.sources.base import Source

__all__ = ["PyDocs"]

_LEFT_OUT = frozenset({"test", "tests", "idlelib", "lib2to3", "turtledemo", "_vendor", "_vendored"})
_TEST_FILE = re.compile(r"test_.*|.*_tests?|conftest")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_COLUMNS = ("id", "content", "kind", "package", "module", "name", "summary")
_SCHEMA = pa.schema([(name, pa.string()) for name in _COLUMNS])
_BATCH_ROWS = 2048
_FEW = 256


@dataclass(frozen=True)
class _File:
    path: str
    module: str


class PyDocs(Source):
    """Every module, class, function and method with a docstring, found without importing anything.

    Parameters
    ----------
    paths : sequence of str, optional
        Folders whose files are to be read, packages (folders with an ``__init__.py``) or single
        files. Default: the standard library and the site-packages of the running interpreter; in a
        virtual environment, its own.
    minimum : int
        Characters that a docstring must have at least.
    processes : int, optional
        Parse in so many processes at once; default one per core. The items are the same.

    Attributes
    ----------
    skipped_ : dict of str to str
        Files that could not be parsed, and why; known when `read` has come to its end.

    Notes
    -----
    - An item's id is its dotted name where it is defined (``csv.DictReader``); where two definitions
      have one name, the second is ``name#2``. A module found under two roots is read under the first,
      as Python's import does. Items come sorted by root, then by path.
    - The content is what should be searched: the name as words, the words of its module, its
      parameters, and the docstring.
    - The metadata: `kind` (module, class, function, method), `package` (the label), `module`, `name`
      and `summary` (the docstring's first line).
    - Left out: folders whose name is no Python identifier; the folders test, tests, idlelib, lib2to3,
      turtledemo, _vendor and _vendored; the files test_*, *_test, *_tests and conftest; definitions
      inside of functions. What is written in C (``csv.reader``) has no source, and is out of reach.

    Examples
    --------
    >>> import csv
    >>> items = next(PyDocs([csv.__file__]).batches()).to_pylist()
    >>> items[1]["id"], items[1]["kind"], items[1]["summary"]
    ('csv.Dialect', 'class', 'Describe a CSV dialect.')
    """

    modality: ClassVar[str] = "texts"
    unique_ids: ClassVar[bool] = True
    label: str | None = "package"

    def __init__(
        self, paths: Sequence[str] | None = None, minimum: int = 40, processes: int | None = None
    ) -> None:
        self.paths = paths
        self.minimum = integer(minimum, "minimum", 1)
        self.processes = processes
        self.skipped_: dict[str, str] = {}
        if isinstance(paths, str | os.PathLike):
            raise ParameterError(
                "`paths` is one path.", f"Give a list: paths=[{os.fspath(paths)!r}]."
            )
        if processes is not None:
            integer(processes, "processes", 1)

    def size(self) -> int:
        """Bytes of the source files."""
        return sum(os.path.getsize(file.path) for file in self._files())

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield what the files document."""
        files = self._files()
        self.skipped_ = {}
        times: Counter[str] = Counter()
        rows: list[tuple[str, ...]] = []
        for file, (items, reason) in zip(files, self._examined(files), strict=True):
            if reason:
                self.skipped_[file.path] = reason
            kept = (item for item in items if len(item.docstring) >= self.minimum)
            rows += [_row(file.module, item, times) for item in kept]
            while len(rows) >= _BATCH_ROWS:
                yield _batch(rows[:_BATCH_ROWS])
                rows = rows[_BATCH_ROWS:]
        if rows:
            yield _batch(rows)

    def _files(self) -> list[_File]:
        roots = _installed() if self.paths is None else [existing(path) for path in self.paths]
        modules: dict[str, _File] = {}
        for root in roots:
            for file in _sources(root):
                modules.setdefault(file.module, file)
        if not modules:
            raise InputError(
                f"No Python source files below {', '.join(map(str, roots))}.",
                "Give folders with .py files.",
            )
        return list(modules.values())

    def _examined(self, files: Sequence[_File]) -> Iterator[tuple[list[Documented], str]]:
        workers = min(self.processes or os.cpu_count() or 1, 1 + len(files) // _FEW)
        if workers == 1 or not sys.executable:
            return (examine(file.path) for file in files)
        return _in_processes([file.path for file in files], workers)


def _in_processes(paths: Sequence[str], workers: int) -> Iterator[tuple[list[Documented], str]]:
    """Let `workers` interpreters parse every so many-th file each, and take turns in reading them.

    They are started as programs of their own: a fork may hang where libraries run threads, and
    `multiprocessing` would import the user's main script again.
    """
    with ExitStack() as stack:
        answers = [stack.enter_context(_Worker(paths[i::workers])) for i in range(workers)]
        for position in range(len(paths)):
            line = answers[position % workers].readline()
            if not line:
                raise InputError(
                    f"The process that parses {paths[position]} ended early.",
                    "Use pydocs(processes=1).",
                )
            items, reason = json.loads(line)
            yield [Documented(*item) for item in items], reason


class _Worker:
    """A running interpreter that examines files; leaving the context ends it."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def __enter__(self) -> IO[bytes]:
        program = [sys.executable, "-P", "-m", _docstrings.__name__]
        # a group of its own: the Ctrl-C of a terminal is for us, who end this process
        self._process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # one that died already is noticed when its answers end
        with suppress(BrokenPipeError), self._process.stdin as stream:
            stream.write("".join(json.dumps(path) + "\n" for path in self._paths).encode())
        return self._process.stdout

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


def _installed() -> list[Path]:
    """The folders that hold this installation's modules, each once, the standard library first."""
    paths = sysconfig.get_paths()
    named = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    named += site.getsitepackages([sys.prefix])
    folders = {Path(name).resolve(): Path(name) for name in reversed(named) if os.path.isdir(name)}
    return list(reversed(folders.values()))


def _sources(root: Path) -> Iterator[_File]:
    """The source files below `root`, sorted by path, with their modules' names."""
    if root.is_file():
        yield _File(str(root), root.stem)
        return
    top = root.parent if (root / "__init__.py").is_file() else root
    found = []
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name.isidentifier() and name not in _LEFT_OUT]
        found += [Path(parent, name) for name in files if _wanted(name)]
    for path in sorted(found):
        parts = path.relative_to(top).with_suffix("").parts
        yield _File(str(path), ".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def _wanted(name: str) -> bool:
    stem, ending = os.path.splitext(name)
    return ending == ".py" and stem.isidentifier() and not _TEST_FILE.fullmatch(stem)


def _row(module: str, item: Documented, times: Counter[str]) -> tuple[str, ...]:
    dotted = f"{module}.{item.name}".strip(".")
    times[dotted] += 1
    id = dotted if times[dotted] == 1 else f"{dotted}#{times[dotted]}"
    own, around = (item.name, module) if item.name else (module, "")
    words = " ".join(filter(None, map(_words, (own, around, *item.parameters))))
    package, summary = module.partition(".")[0], item.docstring.partition("\n")[0]
    name = dotted.rpartition(".")[2]
    content = f"{words}\n{item.docstring}"
    return tuple(map(valid, (id, content, item.kind, package, module, name, summary)))


def _words(name: str) -> str:
    """Cut an identifier into words: ``DictReader.read_row`` becomes ``Dict Reader read row``."""
    return " ".join(_WORD_START.sub(" ", name).replace("_", " ").replace(".", " ").split())


def _batch(rows: Sequence[tuple[str, ...]]) -> pa.RecordBatch:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.record_batch(columns, schema=_SCHEMA)
