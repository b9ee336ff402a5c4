"""The picture of a training."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib", reason="needs the extra `maps`")

from spaceport.errors import ParameterError
from spaceport.maps.page import curve

LOSSES = [2.0, 1.2, 0.7, 0.9, 1.1]
EPOCHS = [
    {"loss": loss - 0.2, "held_out_loss": loss, "accuracy": 1 - loss / 4, "seconds": 1.0}
    for loss in LOSSES
]


def test_the_bars_follow_the_values() -> None:
    assert curve.sparkline([0.0, 7.0, 3.5]) == "▁█▅"
    assert curve.sparkline([1.0, 1.0]) == "▁▁"
    assert curve.sparkline([3.0]) == "▁"
    drawn = curve.sparkline(list(range(1000)))
    assert len(drawn) == 24
    assert list(drawn) == sorted(drawn)


def test_a_vector_picture_tells_what_was_kept(tmp_path) -> None:
    path = tmp_path / "curve.svg"
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        curve.write(path, EPOCHS, "news@1.0.0 $x$")
    drawn = path.read_text()
    assert "news@1.0.0 $x$" in drawn
    assert "kept after epoch 3: training loss 0.5, held-out loss 0.7, accuracy 0.825" in drawn
    assert "seconds" not in drawn


def test_a_picture_of_dots(tmp_path) -> None:
    path = tmp_path / "curve.png"
    curve.write(path, EPOCHS, "news")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_another_ending_is_refused(tmp_path) -> None:
    with pytest.raises(ParameterError, match=r"\.png or \.svg"):
        curve.write(tmp_path / "curve.pdf", EPOCHS, "news")
