"""Run an ONNX graph: one item at a time on each core, in float32 or in int8.

One at a time, nothing is padded; and int8's dynamic quantization takes one scale for a whole tensor, so
that in a batch an item's vector would depend on its neighbors.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from spaceport.errors import InputError
from spaceport.networks.onnx_graph import cut

__all__ = ["PRECISIONS", "Session"]

PRECISIONS = ("float32", "int8")
_INLINE = 1 << 30
_READY = {"onnx.quant.pre_process": "onnxruntime.quant"}
"""Else the quantizer advises on standard error to fold constants first, which the session does."""
_DTYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class Session:
    """A graph that ends at some values, ready to run.

    Parameters
    ----------
    model : onnx.ModelProto
    names : sequence of str
        The values.
    precision : {"float32", "int8"}
        With int8 the weights of matrix products are stored as 8-bit integers, a scale for each column,
        and what they are multiplied with is rounded to 8 bits by its own range, as it comes.
    threads : int, optional
        Items at a time; left out: a core each.

    Raises
    ------
    InputError
        The runtime does not know some operation, or the graph takes inputs that no text has.
    """

    def __init__(
        self, model: Any, names: Sequence[str], precision: str, threads: int | None = None
    ) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        try:
            self._session = _opened(cut(model, names), precision)
        except Exception as error:  # the runtime's errors have no common root
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"onnxruntime {onnxruntime.__version__} cannot run this graph: {why}",
                "Export the model again, or update onnxruntime.",
            ) from error
        self._takes = {put.name: _DTYPES.get(put.type) for put in self._session.get_inputs()}
        known = {"input_ids", "attention_mask", "token_type_ids", "position_ids"}
        unknown = [name for name, dtype in self._takes.items() if name not in known or not dtype]
        if unknown:
            raise InputError(
                f"The graph takes {', '.join(unknown)}, which texts do not have.",
                "Give a model whose inputs are input_ids, attention_mask and their like.",
            )

    def each(self, pieces: Iterable[npt.NDArray[Any]]) -> Iterable[list[npt.NDArray[Any]]]:
        """Yield for each piece's token numbers (t,) its values, each (1, t, d) or (1, d)."""
        if self.threads == 1:
            yield from map(self._run, pieces)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield from pool.map(self._run, pieces)

    def _run(self, tokens: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        made = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.arange(len(tokens)),
        }
        inputs = {name: made[name][None].astype(dtype) for name, dtype in self._takes.items()}
        return list(self._session.run(None, inputs))


def _opened(model: Any, precision: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        onnx.helper.set_model_props(model, _READY)
        onnx.save_model(model, path, save_as_external_data=model.ByteSize() > _INLINE)
        if precision == "int8":
            path = _in_int8(path, model.ByteSize() > _INLINE)
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _in_int8(path: Path, outside: bool) -> Path:
    """Quantize the weights of matrix products; the embedding table, which is only read, stays."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    made = path.with_name("int8.onnx")
    quantize_dynamic(
        path,
        made,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=outside,
    )
    return made
