"""Classes read off a source's label, and a share of each held out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders._classes import held_out, read_classes
from spaceport.errors import InputError
from spaceport.sources.base import Source


class Labeled(Source):
    modality = "texts"
    unique_ids = True

    def __init__(self, labels, label="topic"):
        self.labels = labels
        self.label = label

    def read(self):
        for start in (0, 2):
            part = self.labels[start : start + 2] if start == 0 else self.labels[2:]
            ids = [str(start + place) for place in range(len(part))]
            content = pa.array([f"text {id}" for id in ids])
            topics = pa.array(part, pa.array(self.labels).type)
            yield pa.record_batch({"id": pa.array(ids), "content": content, "topic": topics})

    def size(self):
        return 1


def test_codes_point_at_the_names():
    found = read_classes(Labeled(["sea", "hill", None, "sea", "town"]))
    assert found.names == ["hill", "sea", "town"]
    assert found.codes.tolist() == [1, 0, -1, 1, 2]


@pytest.mark.parametrize("labels", [[3, 1, 3], [True, False, True]])
def test_names_keep_their_type(labels):
    found = read_classes(Labeled(labels))
    assert [found.names[code] for code in found.codes] == labels
    assert type(found.names[0]) is type(labels[0])


def test_digest_tells_other_labels():
    made = [
        read_classes(Labeled(x)).digest()
        for x in (["a", "b", "a"], ["a", "b", "b"], ["a", "c", "a"])
    ]
    assert len({*made}) == 3


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (Labeled(["a", "b", "a"], label=None), "does not say which class"),
        (Labeled(["a", None, "a"]), "holds 1 class."),
        (Labeled([None, None, None]), "holds 0 classes"),
        (Labeled([0.5, 1.5, 2.5]), r"measurements \(3 different ones\)"),
    ],
)
def test_what_is_no_classes_is_refused(source, what):
    with pytest.raises(InputError, match=what):
        read_classes(source)


def test_a_share_of_each_class_is_held_out():
    codes = np.repeat([0, 1, 2, -1], [50, 20, 1, 30])
    learnt, held = held_out(codes, 0.2, seed=3)
    assert np.bincount(codes[held], minlength=3).tolist() == [10, 4, 0]
    assert sorted([*learnt, *held]) == np.flatnonzero(codes >= 0).tolist()
    assert held_out(codes, 0.2, seed=3)[1].tolist() == held.tolist()
    assert held_out(codes, 0.2, seed=4)[1].tolist() != held.tolist()


def test_a_class_is_never_held_out_whole():
    learnt, held = held_out(np.array([0, 0, 1, 1]), 0.99, seed=0)
    assert len(learnt) == len(held) == 2


def test_nothing_to_hold_out_is_refused():
    with pytest.raises(InputError, match=r"Of 3 items with a class a share of 0.1 is none"):
        held_out(np.array([0, 1, 1, -1]), 0.1, seed=0)
