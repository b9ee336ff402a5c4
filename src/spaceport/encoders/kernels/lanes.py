"""Sixteen float32 at once, inside numba kernels.

LLVM vectorizes plain loops over rows of a hundred numbers poorly: it takes half the width that the
processor has, and leaves tails. These intrinsics say what is meant: `load` sixteen neighbors,
`multiply_add`, `total`. LLVM turns them into one AVX-512 instruction, two of AVX2, or four of NEON.

Rows are padded with zeros to a multiple of `LANES`; nothing here checks an index.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]  # llvmlite has no types
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

__all__ = [
    "LANES",
    "add",
    "aligned",
    "clamp",
    "divide",
    "fetch",
    "inverse_root",
    "load",
    "multiply",
    "multiply_add",
    "peek",
    "splat",
    "store",
    "total",
]

LANES = 16
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INT = ir.IntType(32)
_INTS = ir.VectorType(_INT, LANES)
_FLOAT_BYTES = 4
_NEAR_ROOT = 0x5F3759DF  # minus half the bits of a is near the bits of 1 / √a


class _Lanes(types.Type):  # type: ignore[misc]  # numba has no types
    def __init__(self) -> None:
        super().__init__(name="Lanes")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]  # numba has no types
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


_LANES = _Lanes()


def aligned(size: int) -> npt.NDArray[np.float32]:
    """Give `size` zeros, float32, that start on a cache line, so that no `load` straddles two."""
    spare = np.zeros(size + LANES, dtype=np.float32)
    start = (-spare.ctypes.data % (LANES * _FLOAT_BYTES)) // _FLOAT_BYTES
    return spare[start : start + size]


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Read ``array[index : index + 16]``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, signature, args), align=_FLOAT_BYTES)

    return _LANES(array, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Write ``array[index : index + 16]``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, signature, args), align=_FLOAT_BYTES)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), generate


@intrinsic
def fetch(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``, to be written soon; changes nothing."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _prefetch(context, builder, _place(context, builder, signature, args), True)

    return types.void(array, types.intp), generate


@intrinsic
def peek(typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``, to be read soon, by several threads perhaps."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _prefetch(context, builder, _place(context, builder, signature, args), False)

    return types.void(array, types.intp), generate


@intrinsic
def splat(typing: Any, number: Any) -> Any:
    """Sixteen times the same number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _splat(builder, args[0])

    return _LANES(types.float32), generate


@intrinsic
def add(typing: Any, a: Any, b: Any) -> Any:
    """Give a + b."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fadd(*args)

    return _LANES(_LANES, _LANES), generate


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """Give a · b."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return _LANES(_LANES, _LANES), generate


@intrinsic
def divide(typing: Any, a: Any, b: Any) -> Any:
    """Give a / b."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fdiv(*args)

    return _LANES(_LANES, _LANES), generate


@intrinsic
def multiply_add(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Give a · b + c, fused where the processor can."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.fmuladd.v16f32", _VECTOR, args)

    return _LANES(_LANES, _LANES, _LANES), generate


@intrinsic
def clamp(typing: Any, a: Any, limit: Any) -> Any:
    """Give a, cut to [−limit, limit]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        high, low = _splat(builder, args[1]), _splat(builder, builder.fneg(args[1]))
        above = _call(builder, "llvm.maxnum.v16f32", _VECTOR, [args[0], low])
        return _call(builder, "llvm.minnum.v16f32", _VECTOR, [above, high])

    return _LANES(_LANES, types.float32), generate


@intrinsic
def inverse_root(typing: Any, a: Any) -> Any:
    """Give 1 / √a for normal a > 0, 5·10⁻⁶ off at most: Newton's method, twice, from the halved exponent.

    The processor's own square root and division take several times as long, and its own estimate is
    another number on another kind of processor.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _INTS)
        halved = builder.lshr(bits, ir.Constant(_INTS, [1] * LANES))
        guess = builder.sub(ir.Constant(_INTS, [_NEAR_ROOT] * LANES), halved)
        root = builder.bitcast(guess, _VECTOR)
        minus_half = builder.fmul(args[0], ir.Constant(_VECTOR, [-0.5] * LANES))
        one_and_half = ir.Constant(_VECTOR, [1.5] * LANES)
        for _ in range(2):
            square = builder.fmul(root, root)
            step = [minus_half, square, one_and_half]
            root = builder.fmul(root, _call(builder, "llvm.fmuladd.v16f32", _VECTOR, step))
        return root

    return _LANES(_LANES), generate


@intrinsic
def total(typing: Any, a: Any) -> Any:
    """Sum of the sixteen, in pairs."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        name = "llvm.vector.reduce.fadd.v16f32"
        reduce = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(reduce, [ir.Constant(_FLOAT, -0.0), args[0]], fastmath=("reassoc",))

    return types.float32(_LANES), generate


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Pointer to ``array[index]``, as one to sixteen numbers."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _VECTOR.as_pointer())


def _prefetch(context: Any, builder: Any, place: Any, write: bool) -> Any:
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    to_write, keep_near, data = (ir.Constant(_INT, value) for value in (int(write), 3, 1))
    builder.call(prefetch, [builder.bitcast(place, byte), to_write, keep_near, data])
    return context.get_dummy_value()


def _splat(builder: Any, number: Any) -> Any:
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    one = builder.insert_element(nothing, number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(
        one, nothing, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES)
    )


def _call(builder: Any, name: str, result: Any, args: Any) -> Any:
    kind = ir.FunctionType(result, [_VECTOR] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)
