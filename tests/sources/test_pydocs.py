"""The documentation of a Python installation."""

from __future__ import annotations

import csv
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources import pydocs as method  # the class: the family gives methods for names
from spaceport.sources.pydocs import PyDocs

SAMPLE = '''
"""A module that says what it holds."""
import nothing_that_exists

def read_csv(path, /, sep=",", *rest, encoding, **others):
    """Read a csv file."""
    def inner():
        """Not reachable by a name."""

async def fetch():
    "Fetch it."

if True:
    class DataFrame(Base):
        """Rows."""
        def __init__(self, data, index=None):
            """Make it."""
        @classmethod
        async def from_rows(cls, rows):
            """Of rows."""
        class Inner:
            """Deep."""
            def do(self): "It."
else:
    class DataFrame:
        """Other rows."""

try:
    def late(): "With try."
except ImportError:
    def late(): "With except."

with x:
    def open_one(): "With with."

for y in z:
    def looped(): "In a loop."

match y:
    case 1:
        def matched(): "In a case."

def undocumented(): pass
def blank(): "   "
def number(): 3
def strange(): "half \\ud83d of a pair"
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources = {
        "zoo/__init__.py": "'''About the zoo, and all the animals.'''",
        "zoo/cats.py": SAMPLE,
        "zoo/tests/test_cats.py": "'''A test of the cats, left out here.'''",
        "zoo/test_more.py": "'''A test of the cats, left out here.'''",
        "zoo/conftest.py": "'''A fixture for cats, left out here.'''",
        "zoo/_vendor/six.py": "'''Somebody else's, left out here too.'''",
        "zoo-1.0.dist-info/hook.py": "'''No module at all, left out too..'''",
        "zoo/2d.py": "'''No module at all, left out too..'''",
        "zoo/notes.txt": "'''No source.'''",
    }
    for name, text in sources.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def items(*args: Any, **kwargs: Any) -> dict[str, dict[str, Any]]:
    rows = [row for batch in PyDocs(*args, **kwargs).batches() for row in batch.to_pylist()]
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_everything_with_a_docstring_that_a_name_leads_to(folder: Path) -> None:
    found = items([str(folder)], minimum=1)
    kinds = {id.removeprefix("zoo."): row["kind"] for id, row in found.items()}
    assert kinds == {
        "zoo": "module",
        "cats": "module",
        "cats.read_csv": "function",
        "cats.fetch": "function",
        "cats.DataFrame": "class",
        "cats.DataFrame.__init__": "method",
        "cats.DataFrame.from_rows": "method",
        "cats.DataFrame.Inner": "class",
        "cats.DataFrame.Inner.do": "method",
        "cats.DataFrame#2": "class",
        "cats.late": "function",
        "cats.late#2": "function",
        "cats.open_one": "function",
        "cats.looped": "function",
        "cats.matched": "function",
        "cats.strange": "function",
    }


def test_content_and_metadata(folder: Path) -> None:
    found = items([str(folder)], minimum=1)
    assert found["zoo.cats.read_csv"] == {
        "id": "zoo.cats.read_csv",
        "content": "read csv zoo cats path sep rest encoding others\nRead a csv file.",
        "kind": "function",
        "package": "zoo",
        "module": "zoo.cats",
        "name": "read_csv",
        "summary": "Read a csv file.",
    }
    assert found["zoo.cats.DataFrame"]["content"] == "Data Frame zoo cats data index\nRows."
    assert found["zoo.cats.DataFrame.from_rows"]["content"].startswith(
        "Data Frame from rows zoo cats rows\n"
    )
    assert found["zoo"]["content"] == "zoo\nAbout the zoo, and all the animals."
    assert found["zoo.cats.strange"]["summary"] == "half \ufffd of a pair"


def test_short_docstrings_are_left_out(folder: Path) -> None:
    assert list(items([str(folder)], minimum=33)) == ["zoo", "zoo.cats"]
    assert list(items([str(folder)], minimum=34)) == ["zoo"]


def test_packages_files_and_roots_give_the_same_names(folder: Path) -> None:
    whole = items([str(folder)], minimum=1)
    assert items([str(folder / "zoo")], minimum=1) == whole
    assert "cats.read_csv" in items([str(folder / "zoo" / "cats.py")], minimum=1)
    second = folder / "second" / "zoo"
    second.mkdir(parents=True)
    (second / "cats.py").write_text("'''Other cats, hidden by the first.'''")
    (second / "dogs.py").write_text("'''Dogs, which are only here.'''")
    both = items([str(folder / "zoo"), str(folder / "second")], minimum=1)
    assert both.pop("zoo.dogs")["kind"] == "module"
    assert both == whole


@pytest.mark.parametrize(
    "module", ["csv", "argparse", "gzip", "json", "hypothesis.strategies", "numpy.lib"]
)
def test_the_interpreter_agrees(module: str) -> None:
    imported = importlib.import_module(module)
    path = inspect.getsourcefile(imported)
    assert path is not None
    found = items([str(Path(path).parent) if path.endswith("__init__.py") else path], minimum=1)
    agreed = 0
    for row in found.values():
        if row["module"] != module or row["kind"] not in ("class", "function") or "#" in row["id"]:
            continue
        value = getattr(imported, row["name"], None)
        if row["id"] == f"{module}.{row['name']}" and getattr(value, "__module__", "") == module:
            assert row["content"].endswith(inspect.cleandoc(value.__doc__)), row["id"]
            agreed += 1
    assert agreed or module in ("hypothesis.strategies", "numpy.lib")


def test_files_that_do_not_parse_are_counted(tmp_path: Path) -> None:
    good = "'''A docstring that is certainly long enough.'''\n"
    (tmp_path / "good.py").write_text(good + r"x = '\d'; 1 is 1")  # a SyntaxWarning, silenced
    (tmp_path / "broken.py").write_text(good + "def (")
    (tmp_path / "nul.py").write_bytes(good.encode() + b"\0")
    (tmp_path / "latin.py").write_bytes(good.encode() + b"x = '\xe9'")
    (tmp_path / "declared.py").write_bytes(b"# coding: latin-1\n" + good.encode() + b"x = '\xe9'")
    (tmp_path / "deep.py").write_text(good + "-" * 100_000 + "1")
    source = PyDocs([str(tmp_path)])
    assert [id for batch in source.batches() for id in batch["id"].to_pylist()] == [
        "declared",
        "good",
    ]
    assert sorted(map(os.path.basename, source.skipped_)) == [
        "broken.py",
        "deep.py",
        "latin.py",
        "nul.py",
    ]
    assert source.skipped_[str(tmp_path / "broken.py")].startswith("SyntaxError")


def test_two_processes_give_what_one_does(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"m{number}.py").write_text(
            f"def f{number}(): 'What number {number} does: naïve \\ud83d.'"
        )
    (tmp_path / "broken.py").write_text("def (")
    one, two = (PyDocs([str(tmp_path)], minimum=5, processes=count) for count in (1, 2))
    assert [b.to_pylist() for b in one.batches()] == [b.to_pylist() for b in two.batches()]
    assert one.skipped_ == two.skipped_ != {}


def test_workers_end_when_reading_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(700):
        (tmp_path / f"m{number}.py").write_text(
            10 * f"def f(): 'What number {number} does, at some length.'\n"
        )
    started = []
    enter = method_module()._Worker.__enter__

    def remember(worker: Any) -> Any:
        stream = enter(worker)
        started.append(worker._process)
        return stream

    monkeypatch.setattr(method_module()._Worker, "__enter__", remember)
    reading = PyDocs([str(tmp_path)], minimum=5, processes=2).read()
    next(reading)
    assert [worker.poll() for worker in started] == [None, None]
    reading.close()
    assert all(worker.poll() is not None for worker in started)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(
    not hasattr(signal, "SIGPIPE"), reason="a broken pipe is a signal on POSIX only"
)
def test_a_worker_whose_reader_is_gone_ends_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(): 'Says at some length what it does.'\n")
    program = [sys.executable, "-m", "spaceport.sources._docstrings"]
    with subprocess.Popen(program, **dict.fromkeys(("stdin", "stdout", "stderr"), -1)) as worker:
        worker.stdout.close()
        worker.stdin.write(f"{json.dumps(str(tmp_path / 'm.py'))}\n".encode() * 5000)
        worker.stdin.close()
        assert worker.stderr.read() == b""
    assert worker.returncode == -signal.SIGPIPE


def method_module() -> Any:
    return sys.modules[method.__module__]


def test_a_worker_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(600):
        (tmp_path / f"m{number}.py").write_text("'''A docstring that is certainly long enough.'''")
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(InputError, match=r"ended early.\nUse pydocs\(processes=1\)"):
        list(PyDocs([str(tmp_path)], processes=2).batches())


def test_the_installation_is_found() -> None:
    modules = {file.module: file.path for file in PyDocs()._files()}
    assert Path(modules["csv"]).samefile(csv.__file__)
    assert {"json.decoder", "numpy", "pyarrow.parquet", "pytest", "spaceport_absent"} - set(
        modules
    ) == {"spaceport_absent"}
    assert not [
        name for name in modules if name.startswith(("test.", "idlelib")) or ".tests." in name
    ]
    assert len(modules) > 1000


def test_wrong_parameters(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="`paths` is one path"):
        PyDocs(str(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="`minimum` must be"):
        PyDocs(minimum=0)
    with pytest.raises(ParameterError, match="`processes` must be"):
        PyDocs(processes=0)
    with pytest.raises(NotFoundError, match="no file or folder"):
        items([str(tmp_path / "absent")])
    with pytest.raises(InputError, match="No Python source files below"):
        items([str(tmp_path)])
    (tmp_path / "a.py").write_text("x = 1")
    with pytest.raises(InputError, match="holds no items"):
        items([str(tmp_path)])


def test_searching_finds_sensible_functions() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    library = os.path.dirname(json.__file__) + "/.."
    names = (
        "csv.py",
        "argparse.py",
        "gzip.py",
        "shutil.py",
        "random.py",
        "calendar.py",
        "textwrap.py",
        "ast.py",
    )
    found = items([os.path.join(library, name) for name in names])
    model = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    weights = model.fit_transform(row["content"] for row in found.values())
    wanted = {
        "read a csv file": "csv",
        "parse command line arguments": "argparse",
        "compress bytes with gzip": "gzip.compress",
        "wrap a paragraph of text": "textwrap.",
    }
    for query, name in wanted.items():
        scores = (weights @ model.transform([query]).T).toarray().ravel()
        best = list(found)[int(scores.argmax())]
        assert best.startswith(name), f"{query}: {best}"
