"""Strict readers and strict paths: a file is a stranger's until it has been checked."""

from spaceport.safe.documents import read_json
from spaceport.safe.paths import check_name, inside
from spaceport.safe.tensors import Tensor, read_arrays, read_layout

__all__ = ["Tensor", "check_name", "inside", "read_arrays", "read_json", "read_layout"]
