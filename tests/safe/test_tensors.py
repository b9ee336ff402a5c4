"""What the safetensors library writes is read as it reads it; what does not describe each byte is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from safetensors.numpy import load, save

from spaceport.errors import CorruptError, InputError
from spaceport.safe import Tensor, read_arrays, read_layout

DTYPES = st.sampled_from(
    ["bool", "u1", "i1", "<u2", "<i2", "<f2", "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"]
)
SHAPES = numpy_st.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = DTYPES.flatmap(
    lambda dtype: numpy_st.arrays(
        np.dtype(dtype),
        SHAPES,
        elements=numpy_st.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False),
    )
)


@given(
    st.dictionaries(st.text(max_size=6), ARRAYS, max_size=4), st.dictionaries(st.text(), st.text())
)
def test_what_the_library_writes_is_read_alike(
    arrays: dict[str, np.ndarray], strings: dict[str, str]
) -> None:
    arrays.pop("__metadata__", None)
    data = save(arrays, strings or None)
    found, told = read_arrays(data, "x")
    expected = load(data)
    assert told == strings
    assert found.keys() == expected.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])
        assert array.dtype == expected[name].dtype
        assert array.shape == expected[name].shape
        assert array.flags.writeable
        assert array.flags.c_contiguous


@given(st.data())
def test_one_changed_byte_of_the_header_is_refused_or_read_as_the_library_reads_it(
    data: st.DataObject,
) -> None:
    whole = bytearray(save({"ab": np.arange(6, dtype=np.int32).reshape(2, 3), "c": np.zeros(2)}))
    header = 8 + int.from_bytes(whole[:8], "little")
    whole[data.draw(st.integers(0, header - 1))] = data.draw(st.integers(0, 255))
    try:
        found, _ = read_arrays(bytes(whole), "x")
    except CorruptError:
        return
    expected = load(bytes(whole))
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_bytes_and_a_file_are_read_alike(tmp_path: Path) -> None:
    data = save({"x": np.arange(5.0)}, {"a": "b"})
    (tmp_path / "x").write_bytes(data)
    for given_ in (data, tmp_path / "x"):
        arrays, strings = read_arrays(given_, "x", most=len(data))
        assert arrays["x"].tolist() == [0, 1, 2, 3, 4]
        assert strings == {"a": "b"}
        with pytest.raises(CorruptError, match="at most"):
            read_arrays(given_, "x", most=len(data) - 1)


def test_nan_is_read_where_it_is_wanted() -> None:
    data = save({"x": np.array([np.nan, 1], np.float32)})
    with pytest.raises(CorruptError, match="'x' holds NaN or infinity"):
        read_arrays(data, "x")
    assert np.isnan(read_arrays(data, "x", finite=False)[0]["x"][0])


def test_the_layout_alone_knows_types_that_numpy_has_not(tmp_path: Path) -> None:
    header = b'{"x":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}'
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    assert read_layout(tmp_path / "x", "x")[0] == {"x": Tensor("BF16", (2, 3), 0, 12)}
    with pytest.raises(CorruptError, match="BF16, which NumPy has not"):
        read_arrays(tmp_path / "x", "x")


def test_a_file_that_is_not_there_is_an_error_of_the_kind_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_arrays(tmp_path / "none", "x", kind=InputError)
    with pytest.raises(CorruptError, match="Is a directory"):
        read_layout(tmp_path, "x")


def file_of(room: int, **offsets: tuple[int, int]) -> bytes:
    """A file with one array of bytes for each of `offsets`."""
    told = {
        name: {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]}
        for name, (begin, end) in offsets.items()
    }
    header = json.dumps(told).encode()
    return len(header).to_bytes(8, "little") + header + bytes(room)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (file_of(8, a=(0, 2), b=(4, 8)), "'b' begins at 4 in place of 2"),
        (file_of(6, a=(0, 4), b=(2, 6)), "'b' begins at 2 in place of 4"),
        (file_of(4, a=(1, 4)), "'a' begins at 1 in place of 0"),
        (file_of(4, a=(0, 3)), "its arrays take 3 bytes, and 4 are there"),
        (file_of(4, a=(0, 5)), "its arrays take 5 bytes, and 4 are there"),
        (file_of(4, a=(-4, 0), b=(0, 4)), "'a' has no dtype, shape and data_offsets that can be"),
        (file_of(0, **{f"{n}": (0, 0) for n in range(100_001)}), "lists 100,001 arrays"),
    ],
)
def test_every_byte_belongs_to_one_array(data: bytes, reason: str) -> None:
    with pytest.raises(CorruptError, match=reason):
        read_arrays(data, "x")


def test_a_header_may_not_be_large() -> None:
    header = b"{" + b" " * (11 << 20) + b"}"
    with pytest.raises(CorruptError, match="its header claims"):
        read_arrays(len(header).to_bytes(8, "little") + header, "x")


def test_a_truth_value_is_0_or_1() -> None:
    header = b'{"x":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}'
    whole = len(header).to_bytes(8, "little") + header
    assert read_arrays(whole + b"\0\1", "x")[0]["x"].tolist() == [False, True]
    with pytest.raises(CorruptError, match="other than 0 and 1"):
        read_arrays(whole + b"\0\2", "x")


@pytest.mark.parametrize("entry", ['"F32","shape":[2]', '"U8","shape":[3]', '"F64","shape":[1]'])
def test_shape_and_type_take_as_many_bytes_as_the_header_says(entry: str) -> None:
    header = f'{{"x":{{"dtype":{entry},"data_offsets":[0,4]}}}}'.encode()
    with pytest.raises(CorruptError, match=r"in bytes \[0, 4\]"):
        read_arrays(len(header).to_bytes(8, "little") + header + bytes(4), "x")
