"""Texts by a model behind an address: any endpoint that speaks OpenAI's ``/v1/embeddings``.

::

    POST {url}/embeddings   {"model": …, "input": [prompt + text, …], "encoding_format": "base64"}
    φ(text) = the vector that came back under the text's index, unchanged

What the endpoint runs cannot be looked at. So the fingerprint is over what was *asked for*, the model's
name, the dimension and the prompts, and is a promise of the provider's, not a measurement. It leaves
the address out: the same model behind another gateway or port must not cost a re-encoding. What holds
the provider to its promise are the version's canaries: texts that every build encodes again, so that a
model that was changed behind its name is noticed, and makes a new major.

The form of requests and answers: OpenAI, API reference, "Create embeddings". Ollama, vLLM, llama.cpp's
server, text-embeddings-inference, LiteLLM and others speak it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders._answers import GOES_ON, vectors
from spaceport.encoders._endpoint import Endpoint
from spaceport.encoders._keys import check_key, check_url
from spaceport.encoders._pace import Pace
from spaceport.encoders.base import Encoder
from spaceport.errors import InputError, ParameterError

__all__ = ["Remote"]


class Remote(Encoder):
    """Vectors from an OpenAI-compatible endpoint.

    Parameters
    ----------
    url : str
        The address up to the version, ``https://api.openai.com/v1``: http or https, no password, no
        query. Redirects are not followed. A key sent over plain http can be read on the way.
    model : str
        The model's name, as the endpoint knows it.
    dimension : int, optional
        Asked for of the endpoint (``dimensions``), and wanted of its answers. None: whatever comes
        first; a later answer of another dimension is refused.
    key : str, optional
        The *name* of the environment variable that holds the key; None: no key is sent. The key itself
        is never kept, written or shown. An encoder that was read back from a store sends it only to
        hosts that the environment variable ``SPACEPORT_REMOTE_HOSTS`` lists (host or host:port,
        commas between them), since a store may come from someone else.
    batch : int
        The most texts in one request.
    requests_per_minute, tokens_per_minute : int, optional
        Waits so that no sixty seconds hold more. Tokens are estimated before a request, from what the
        endpoint counted so far, and corrected after it.
    timeout : float
        Seconds without a byte after which a request has failed.
    retries : int
        How often a request is repeated: after time-outs, 429, 500 and their like; after half a
        second, one, two, four…, or after as long as ``Retry-After`` says, at most two minutes.
    query_prompt, document_prompt : str
        Put before each text of that role.
    price : float, optional
        For a million tokens, in any currency; the cost goes on the card.

    Notes
    -----
    An empty text is sent as one space: endpoints refuse an empty one.

    Examples
    --------
    >>> encoder = Remote("http://127.0.0.1:8080/v1", "bge-small-en", query_prompt="query: ")
    >>> encoder
    remote(url='http://127.0.0.1:8080/v1', model='bge-small-en', query_prompt='query: ')
    >>> Remote("http://127.0.0.1:8080/v1", "bge-small-en", key="sk-123")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `key` must be an environment variable's name, in capitals (what came is not shown).
    Put the key into the environment and give its name, for example OPENAI_API_KEY.
    """

    modality: ClassVar[str] = "texts"
    costly: ClassVar[bool] = True
    neutral: frozenset[str] = frozenset(
        {
            "url",
            "key",
            "batch",
            "requests_per_minute",
            "tokens_per_minute",
            "timeout",
            "retries",
            "price",
        }
    )

    def __init__(
        self,
        url: str,
        model: str,
        dimension: int | None = None,
        key: str | None = None,
        batch: int = 64,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        timeout: float = 60.0,
        retries: int = 6,
        query_prompt: str = "",
        document_prompt: str = "",
        price: float | None = None,
    ) -> None:
        self.url = check_url(url)
        self.model = model
        self.dimension = None if dimension is None else integer(dimension, "dimension", 1)
        self.key = check_key(key)
        self.batch = integer(batch, "batch", 1)
        self.requests_per_minute = requests_per_minute
        self.tokens_per_minute = tokens_per_minute
        self.timeout = timeout
        self.retries = integer(retries, "retries", 0)
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        self.price = price
        positive(timeout, "timeout")
        if price is not None:
            positive(price, "price", zero=True)
        for name in ("requests_per_minute", "tokens_per_minute"):
            if getattr(self, name) is not None:
                integer(getattr(self, name), name, 1)
        if not model:
            raise ParameterError(
                "`model` is empty.", "Give the name that the endpoint knows: GET {url}/models."
            )
        pace = Pace(requests_per_minute, tokens_per_minute)
        self._endpoint = Endpoint(url, key, timeout, retries, pace)
        self._width, self._texts = self.dimension, 0

    @property
    def at_once(self) -> int:  # type: ignore[override]  # what one request brings is kept by itself
        """The texts of one request: a build that is cut off has lost no more."""
        return self.batch

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode texts, `batch` of them in a request.

        Raises
        ------
        InputError
            No answer, a refusal, or an answer with another number of vectors, another dimension than
            before, or NaN. The error names the texts by their place in this run.
        NotFoundError
            The key's environment variable is not set.
        """
        prompt = self.query_prompt if role == "query" else self.document_prompt
        texts = [(prompt + item) or " " for item in items]
        starts = range(0, len(texts), self.batch)
        return np.concatenate([self._ask(texts[s : s + self.batch]) for s in starts])

    def facts(self) -> dict[str, Any]:
        """Give requests, repeated ones, tokens, seconds, the model as the endpoint names it, and the cost."""
        used = self._endpoint.usage
        if not used.requests:
            return {}
        told: dict[str, Any] = {
            "requests": used.requests,
            "repeated requests": used.repeated,
            "tokens": used.tokens,
            "seconds": used.seconds,
            "seconds waited for limits": used.waited,
            "model told by the endpoint": ", ".join(sorted(used.models)),
        }
        return told if self.price is None else told | {"cost": used.tokens * self.price / 1e6}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Note that this encoder comes from a file, which may not say by itself where a key goes."""
        self._endpoint.stored = True

    def _ask(self, texts: list[str]) -> Matrix:
        span = f"texts {self._texts + 1:,} to {self._texts + len(texts):,} of this run"
        told: dict[str, Any] = {"model": self.model, "input": texts, "encoding_format": "base64"}
        if self.dimension is not None:
            told["dimensions"] = self.dimension
        found = vectors(self._endpoint.ask(told, span), texts, span)
        if self._width not in (None, found.shape[1]):
            before = "wanted" if self.dimension else "given before"
            raise InputError(
                f"The endpoint gave {found.shape[1]} numbers a text, and {self._width} were {before} "
                f"({span}).",
                f"Another model answers, or `dimension` is not one it can give. {GOES_ON}",
            )
        self._width = found.shape[1]
        self._texts += len(texts)
        return found
