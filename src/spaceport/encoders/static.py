"""Static token vectors of a transformer: texts by weighted means, without the network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders._chunks import Chunks, in_parts, plain
from spaceport.encoders._linear import principal_axes
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, MissingExtra, ParameterError, choices
from spaceport.geometry.moments import over
from spaceport.networks import origins
from spaceport.progress import task
from spaceport.sources.base import Source
from spaceport.threads import workers

__all__ = ["Static"]

Double = npt.NDArray[np.float64]

_WEIGHTINGS = ("sif", "zipf", "mean")
_LEAST = 256  # texts from which on a second thread is worth its start


class Static(Encoder):
    """A table of token vectors, distilled from a transformer; a text is the mean of its tokens' rows.

    ::

        x_t   the transformer's last hidden state at token t, alone between its special tokens
        y_t = (x_t - μ) V                    μ, V: the tokens' mean and their `dimension` main directions
        w_t = a / (a + p(t))                 a: `sif`
        z_t = (I - U Uᵀ) w_t y_t             U: the `remove` main directions of the texts' means
        φ(text) = 1/m Σ_i z_{t_i}            over the text's m tokens; 0 where it has none

    With ``"sif"`` p(t) is the token's share of all tokens of the texts it is fitted on; with ``"zipf"``
    p(t) = 1 / (r H), its share under Zipf's law if the vocabulary stands in order of frequency, as
    WordPiece's does: r its place from 1, H the sum of all 1 / r. With ``"mean"`` w_t = 1. U are the
    leading right singular vectors of the matrix of the texts' means, not centered. Since U and V are the
    same for all texts they are applied to the table once, and a text's vector does not depend on the
    texts that it is encoded with. Special and unknown tokens count nothing.

    Parameters
    ----------
    model : str
        As for `activations`: a folder, an installed package (``minilm``), or ``owner/name@revision``.
        It needs ``tokenizer.json`` and, to be fitted, torch.
    dimension : int
        At most that of the model's hidden states.
    weighting : {"sif", "zipf", "mean"}
    sif : float
        a.
    remove : int
        Common directions that are taken out of the table; 0: none.
    threads : int, optional
        None: one per core.

    Attributes
    ----------
    table_ : ndarray of shape (n, dimension), float32
        z, a row for each token of the vocabulary; zeros for tokens that count nothing.

    Notes
    -----
    Fitting reads the source twice (once without ``remove``; not at all with ``zipf`` besides), and runs
    the network over its vocabulary. Encoding needs ``tokenizers`` only. Rows are added in the text's
    order, so that the bytes depend on neither threads nor batches.

    References
    ----------
    Arora, Liang, Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", algorithm 1.
    Tulkens, van Dongen 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings" (the table).

    Examples
    --------
    >>> Static("minilm", dimension=128, weighting="zipf").spec
    "static(model='minilm', dimension=128, weighting='zipf')"
    """

    modality: ClassVar[str] = "texts"
    also: ClassVar[tuple[str, ...]] = ("words",)
    fitted: ClassVar[bool] = True
    neutral = frozenset({"model", "threads"})
    libraries: ClassVar[tuple[str, ...]] = ("tokenizers",)

    def __init__(
        self,
        model: str,
        dimension: int = 256,
        weighting: str = "sif",
        sif: float = 1e-3,
        remove: int = 1,
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.dimension = integer(dimension, "dimension", 1)
        self.weighting = weighting
        self.sif = sif
        self.remove = integer(remove, "remove", 0, dimension - 1)
        self.threads = threads
        self._facts: dict[str, Any] = {}
        positive(sif, "sif")
        if threads is not None:
            integer(threads, "threads", 1)
        if weighting not in _WEIGHTINGS:
            raise ParameterError(
                f"There is no weighting `{weighting}`.", choices(str(weighting), _WEIGHTINGS)
            )

    def fit(self, source: Source) -> Static:
        """Distil the table, weigh its rows by the texts, and take their common directions out.

        Raises
        ------
        NotFoundError, InputError
            There is no such model, or it cannot be read; or the texts hold no token.
        MissingExtra
            torch is not installed.
        """
        began = time.perf_counter()
        tokenizer, vectors = self._distilled()
        self._chunks, self._tokenizer = Chunks(tokenizer), tokenizer
        distilled = time.perf_counter()
        explained = self._project(vectors)
        if self.weighting == "sif":
            self._weigh(source)
        elif self.weighting == "zipf":
            ranks = 1 / np.arange(1, len(self.table_) + 1)
            self._scale(ranks / ranks.sum())
        if self.remove:
            self._take_out(source)
        self._facts |= {
            "seconds": time.perf_counter() - began,
            "distilling_seconds": distilled - began,
            "tokens": len(self.table_),
            "explained": explained,
        }
        return self

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode n texts; gives (n, dimension), float32, not unit length.

        A text without a known token is a row of zeros.
        """
        from spaceport.encoders.kernels.sums import means

        self._require_fit()
        threads = workers(self.threads) if len(items) >= _LEAST else 1
        texts = self._chunks.read(items, threads)
        out: Matrix = np.empty((len(items), self.dimension), np.float32)
        told = (self.table_, texts.rows, texts.chunk_ends, texts.chunks, texts.text_ends)
        in_parts(lambda first, last: means(*told, first, last, out), len(items), threads)
        return out

    def facts(self) -> dict[str, Any]:
        """Seconds, how many of them for distilling, tokens, the share of variance kept, texts read."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the table and the tokenizer's JSON as bytes."""
        if not hasattr(self, "table_"):
            return {}, {}
        written = np.frombuffer(self._tokenizer.encode("utf-8"), np.uint8)
        return {"table": self.table_, "tokenizer": written}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        tokenizer = arrays["tokenizer"].tobytes().decode("utf-8")
        chunks = Chunks(tokenizer)
        if arrays["table"].shape != (chunks.size, self.dimension):
            raise ValueError(
                f"the table of {chunks.size} tokens in {self.dimension} dimensions has the shape "
                f"{arrays['table'].shape}"
            )
        self._chunks, self._tokenizer, self.table_ = chunks, tokenizer, arrays["table"]

    def _distilled(self) -> tuple[str, Matrix]:
        """The tokenizer's JSON, and a vector for each token."""
        try:
            from spaceport.networks import models
            from spaceport.networks.distillation import token_vectors
        except ModuleNotFoundError as error:
            raise MissingExtra.of("torch", "torch") from error
        from tokenizers import Tokenizer

        folder = origins.find(self.model)
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise InputError(
                f"{folder} has no tokenizer.json.",
                "Save the tokenizer beside the model: AutoTokenizer.from_pretrained(…).save_pretrained(folder).",
            )
        tokenizer = plain(path.read_text(encoding="utf-8"))
        return tokenizer, token_vectors(models.read(folder), Tokenizer.from_str(tokenizer))

    def _project(self, vectors: Matrix) -> float:
        """Make the table of y; gives the share of the variance that it keeps."""
        counted = np.setdiff1d(np.arange(len(vectors)), self._chunks.left_out)
        axes = principal_axes(lambda: [vectors[counted]], self.dimension, method="exact")
        self.table_ = np.zeros((len(vectors), self.dimension), np.float32)
        self.table_[counted] = (vectors[counted] - axes.mean) @ axes.components
        return float(axes.squares.sum() / (axes.total or 1))

    def _weigh(self, source: Source) -> None:
        counts = np.zeros(len(self.table_), np.int64)
        texts = 0
        with task("counting tokens", None, "texts") as work:
            for batch in source.contents():
                counts += self._chunks.read(batch).counts(len(counts))
                texts += len(batch)
                work.advance(len(batch))
        if not counts.any():
            raise InputError(
                f"{source.spec} holds no token of {self.model}.", "Check the path and the language."
            )
        self._facts |= {"texts": texts, "running_tokens": int(counts.sum())}
        self._scale(counts / counts.sum())

    def _scale(self, share: Double) -> None:
        self.table_ *= (self.sif / (self.sif + share)).astype(np.float32)[:, None]

    def _take_out(self, source: Source) -> None:
        """Take the leading directions of the texts' means out of the table."""
        gram = over(self._means(source)).gram
        common = np.linalg.eigh(gram)[1][:, -self.remove :]
        self.table_ = (self.table_ - (self.table_ @ common) @ common.T).astype(np.float32)

    def _means(self, source: Source) -> Iterator[Matrix]:
        with task("looking at texts", None, "texts") as work:
            for batch in source.contents():
                yield self.encode_batch(batch)
                work.advance(len(batch))

    def _require_fit(self) -> None:
        if not hasattr(self, "table_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
