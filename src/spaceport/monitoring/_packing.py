"""Sketches and bases as safetensors."""

from __future__ import annotations

from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.files import basis_of, bytes_of, sketch_of
from spaceport.drift.sketches.sketch import Sketch


def pack(sketch: Sketch) -> bytes:
    """Give a sketch's file."""
    return bytes_of(sketch)


def unpack(data: bytes, basis: Basis) -> Sketch:
    """Read a sketch's file."""
    return sketch_of(data, basis)


def pack_basis(basis: Basis) -> bytes:
    """Give a basis's file."""
    return bytes_of(basis)


def unpack_basis(data: bytes) -> Basis:
    """Read a basis's file."""
    return basis_of(data)
