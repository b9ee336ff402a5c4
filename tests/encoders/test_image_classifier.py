"""The classifier of pictures: what it learns, of what it must not, and that a kill costs one epoch."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the extra `torch`")

from encoders.planted_pictures import Pictures, bars, ppm, shuffled
from spaceport import progress
from spaceport.encoders.base import load
from spaceport.encoders.image_classifier import ImageClassifier
from spaceport.encoders.pixels import Pixels
from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.quality.probe import nearest_neighbor_accuracy
from spaceport.sources.images import Images

FILES, KINDS = bars(300)
ASKED, WANTED = bars(150, seed=1)


def small(**params) -> ImageClassifier:
    told = {
        "dimension": 8,
        "size": 16,
        "channels": 8,
        "epochs": 8,
        "batch_size": 32,
        "augment": 0.5,
    }
    return ImageClassifier(**(told | params))


@pytest.fixture(scope="module")
def learnt() -> ImageClassifier:
    return small().fit(Pictures(FILES, KINDS))


def right(encoder) -> float:
    told = (encoder.encode(FILES), KINDS, encoder.encode(ASKED), WANTED)
    return nearest_neighbor_accuracy(*told, 1).value


def test_planted_shapes_are_told_apart_wherever_they_are(learnt) -> None:
    assert np.mean(np.array(learnt.predict(ASKED)) == WANTED) > 0.95
    assert right(learnt) > 0.95
    assert right(Pixels(dimension=8, size=16).fit(Pictures(FILES))) < 0.92
    facts = learnt.facts()
    assert facts["curve"][facts["best epoch"] - 1]["held_out_accuracy"] > 0.9
    assert (facts["pictures"], facts["held out"]) == (270, 30)


def test_labels_without_a_meaning_are_not_learnt() -> None:
    """The saboteur: the same pictures, the labels shuffled; the held-out part must tell."""
    facts = small(epochs=3).fit(Pictures(FILES, shuffled(KINDS))).facts()
    assert facts["curve"][facts["best epoch"] - 1]["held_out_accuracy"] < 0.7


def test_vectors_have_unit_length_and_the_nearest_class_is_the_answer(learnt) -> None:
    vectors = learnt.encode(ASKED)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    classes = learnt.state()[0]["classes"]
    cosines = vectors @ (classes / np.linalg.norm(classes, axis=1, keepdims=True)).T
    assert learnt.predict(ASKED) == [learnt.classes_[place] for place in cosines.argmax(axis=1)]


def test_saved_and_loaded_it_answers_alike(learnt, tmp_path) -> None:
    learnt.save(tmp_path)
    again = load(tmp_path)
    assert np.array_equal(again.encode(ASKED), learnt.encode(ASKED))
    assert again.predict(ASKED) == learnt.predict(ASKED)
    assert again.classes_ == ["across", "aslant", "upright"]


def test_damaged_states_are_refused(learnt) -> None:
    arrays, values = learnt.state()
    with pytest.raises(ValueError, match="2 classes have vectors of"):
        small().restore(arrays, {"classes": values["classes"][:2]})
    with pytest.raises(CorruptError, match="do not fit"):
        small(channels=4).restore(arrays, values)


def test_labels_keep_their_kind_and_pictures_without_one_are_left_out(tmp_path) -> None:
    numbers = [None if row < 30 else {"across": 3, "upright": 20, "aslant": 100}[kind]
               for row, kind in enumerate(KINDS)]  # fmt: skip
    encoder = small(epochs=1).fit(Pictures(FILES, numbers))
    assert encoder.classes_ == [100, 20, 3]
    assert encoder.facts()["unlabeled"] == 30
    encoder.save(tmp_path)
    assert set(load(tmp_path).predict(ASKED)) <= {3, 20, 100}


def test_groups_are_on_one_side_of_the_split() -> None:
    """Copies of pictures with labels by chance: by themselves they are known before they are asked."""
    files = [file for file in FILES[:30] for _ in range(12)]
    kinds = [kind for kind in shuffled(KINDS[:30]) for _ in range(12)]
    ids = [f"{row // 12}_{row % 12}" for row in range(360)]
    told = {"epochs": 10, "patience": 10, "augment": 0.0, "learning_rate": 0.01}

    def best(**params) -> float:
        facts = small(**told, **params).fit(Pictures(files, kinds, ids=ids)).facts()
        assert facts["held out"] == 36
        return max(epoch["held_out_accuracy"] for epoch in facts["curve"])

    assert best() > 0.9
    assert best(group="(.*)_") < 0.75


class Killed(BaseException):
    """What a listener raises in the middle of training."""


def killed_after(batches: int):
    def listen(report) -> None:
        if report.name == "training" and report.done >= batches:
            raise Killed

    return listen


def test_a_fit_that_was_killed_goes_on_and_ends_the_same(tmp_path) -> None:
    source, whole = Pictures(FILES, KINDS), small(epochs=3).fit(Pictures(FILES, KINDS))
    cut = small(epochs=3)
    cut.checkpoints = tmp_path
    with progress.using(killed_after(19)), pytest.raises(Killed):  # 8 batches an epoch
        cut.fit(source)
    seen = []
    second = small(epochs=3)
    second.checkpoints = tmp_path
    with progress.using(seen.append):
        second.fit(source)
    steps = [report.done for report in seen if report.name == "training"]
    assert min(step for step in steps if step) == 16
    assert second.fingerprint == whole.fingerprint
    assert np.array_equal(second.encode(ASKED), whole.encode(ASKED))


def test_a_checkpoint_of_other_labels_is_not_gone_on_with(tmp_path) -> None:
    first, second = small(epochs=1), small(epochs=1)
    first.checkpoints = second.checkpoints = tmp_path
    first.fit(Pictures(FILES, KINDS))
    second.fit(Pictures(FILES, shuffled(KINDS)))
    fresh = small(epochs=1).fit(Pictures(FILES, shuffled(KINDS)))
    assert second.fingerprint == fresh.fingerprint
    assert first.fingerprint != fresh.fingerprint


def test_gray_and_transparent_pictures_are_encoded(learnt) -> None:
    files = []
    for mode in ("L", "P", "RGBA", "I;16"):
        with io.BytesIO() as stream:
            Image.new(mode, (20, 30)).save(stream, "PNG")
            files.append(stream.getvalue())
    assert np.isfinite(learnt.encode(files)).all()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Pictures(FILES, KINDS, label=None), "does not say which class"),
        (Pictures(FILES, ["a"] * 300), "There is one class only, 'a'.\n.*image_autoencoder"),
        (Pictures(FILES, list(map(float, range(300)))), "Nothing can be held out"),
        (Pictures(FILES, [0.5, 1.5] * 150), r"measurements \(2 different ones\)"),
        (Pictures(FILES[:3], ["a", "b", "c"]), "Nothing can be held out: 3 pictures in 3 classes"),
        (Pictures([*FILES[:3], b"x"], ["a", "b"] * 2), "1 of 4 pictures .* the first is 'p3'"),
    ],
)
def test_what_cannot_be_learnt_from(source, message) -> None:
    with pytest.raises(InputError, match=message):
        small(epochs=1).fit(source)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dimension": 0}, "`dimension` must be an int"),
        ({"size": 7}, "`size` must be at least 8 pixels. Got 7"),
        ({"size": (32, 4)}, "`size` must be at least 8"),
        ({"channels": 0}, "`channels` must be an int"),
        ({"contrast": "equalize"}, "There is no contrast `equalize`"),
        ({"augment": -1}, "`augment` must be a number at least 0"),
        ({"epochs": 0}, "`epochs` must be an int"),
        ({"batch_size": 1}, "`batch_size` must be an int"),
        ({"learning_rate": 0}, "`learning_rate` must be a number above 0"),
        ({"patience": 0}, "`patience` must be an int"),
        ({"validation": 0.6}, r"`validation` must be in \(0, 0.5\]"),
        ({"validation": 0.0}, "`validation` must be a number above 0"),
        ({"seed": -1}, "`seed` must be an int"),
    ],
)
def test_parameters_out_of_range(params, message) -> None:
    with pytest.raises(ParameterError, match=message):
        ImageClassifier(**params)


def test_it_encodes_nothing_before_it_has_learnt() -> None:
    with pytest.raises(InputError, match="has not learnt anything yet"):
        small().encode([ppm(np.zeros((4, 4, 3)))])


@pytest.mark.parametrize("classes", [("00001", "00013", "00014", "00017")])
def test_real_signs_of_other_tracks_are_told_apart(data, tmp_path, classes) -> None:
    """Every third German sign of four classes, in six epochs: far more than 1 of 4."""

    def part(name: str) -> Images:
        folder = tmp_path / name
        with tarfile.open(data / "gtsrb-32" / f"{name}.tar.gz") as archive:
            members = [
                m for m in archive if m.name.endswith(".ppm") and m.name.split("/")[-2] in classes
            ]
            for member in members[::3]:
                path = folder / "/".join(member.name.split("/")[-2:])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
        return Images(folder, label="folder", thumbnail=0)

    encoder = ImageClassifier(
        dimension=16, channels=8, epochs=6, batch_size=32, learning_rate=0.01, augment=0.5,
        group="(.*)_",
    ).fit(part("train"))  # fmt: skip
    items = [row for batch in part("test").batches() for row in batch.to_pylist()]
    found = encoder.predict([item["content"] for item in items])
    assert np.mean([one == item["folder"] for one, item in zip(found, items, strict=True)]) > 0.85
