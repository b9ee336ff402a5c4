"""Ask an OpenAI-compatible ``/embeddings`` endpoint: retries, refusals, and what was used."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import parse_url

from spaceport.encoders._answers import GOES_ON, said
from spaceport.encoders._keys import secret
from spaceport.encoders._pace import Pace
from spaceport.errors import InputError

__all__ = ["Endpoint", "Usage"]

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
BACKOFF = 0.5
MOST_SECONDS = 120


@dataclass
class Usage:
    """What was used: requests that were answered, repeated requests, tokens, seconds waited and in all."""

    requests: int = 0
    repeated: int = 0
    tokens: int = 0
    characters: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    models: set[str] = field(default_factory=set)

    def likely(self, characters: int) -> int:
        """How many tokens so many characters are likely to be: as before, at first one in three."""
        share = self.tokens / self.characters if self.tokens else 1 / 3
        return int(np.ceil(characters * share))


class _Patience(Retry):
    """urllib3's retries, which wait as long as ``Retry-After`` says but for no longer than two minutes."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        try:
            seconds = super().get_retry_after(response)
        except InvalidHeader:
            return None
        return None if seconds is None else min(seconds, MOST_SECONDS)


class Endpoint:
    """One endpoint, asked again and again.

    Parameters
    ----------
    url : str
        Without ``/embeddings``.
    key : str or None
        The name of the environment variable.
    timeout : float
        Seconds without a byte after which a request has failed.
    retries : int
        How often a request that failed is repeated.
    pace : Pace
    """

    def __init__(
        self, url: str, key: str | None, timeout: float, retries: int, pace: Pace | None = None
    ) -> None:
        self.url, self.key = url.rstrip("/"), key
        self.timeout, self.retries = timeout, retries
        self.pace = pace or Pace(None, None)
        self.usage = Usage()
        self.stored = False

    @cached_property
    def host(self) -> str:
        """Where requests go, as it stands in the address: host, and port if it is told."""
        return parse_url(self.url).netloc or ""

    def ask(self, told: dict[str, Any], span: str) -> dict[str, Any]:
        """Send one request; gives the answer's JSON object.

        Parameters
        ----------
        told : dict
            The request's body, its ``input`` a list of texts.
        span : str
            Which texts these are, for errors.

        Raises
        ------
        NotFoundError
            The key's environment variable is not set.
        InputError
            No answer after all retries, a refusal, or an answer that is no JSON object.
        """
        characters = sum(map(len, told["input"]))
        self.usage.waited += self.pace.wait(self.usage.likely(characters))
        began = time.perf_counter()
        key = secret(self.key, self.host, self.stored)
        answer = self._read(self._send(told, key, span), key, span)
        self._count(answer, characters, time.perf_counter() - began)
        return answer

    def _send(self, told: dict[str, Any], key: str, span: str) -> BaseHTTPResponse:
        headers = {"Content-Type": "application/json", "User-Agent": "spaceport"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            response = self._pool.request(
                "POST",
                f"{self.url}/embeddings",
                body=json.dumps(told).encode(),
                headers=headers,
                redirect=False,
                retries=self._patience(),
            )
        except MaxRetryError as error:
            raise InputError(
                f"{self.host} did not answer for {span}: {_reason(error)} ({self._tries(error)}).",
                f"Check that it runs, or raise `timeout` or `retries`. {GOES_ON}",
            ) from None  # the chain below holds nothing that this line does not
        except HTTPError as error:
            raise InputError(
                f"{self.host} broke off for {span}: {type(error).__name__}.",
                f"Check the address. {GOES_ON}",
            ) from None
        self.usage.repeated += len(response.retries.history) if response.retries else 0
        return response

    def _patience(self) -> Retry:
        """An endpoint that never answered is asked three times at most; one that did, as often as told."""
        return _Patience(
            total=self.retries,
            connect=self.retries if self.usage.requests else min(2, self.retries),
            other=0,
            allowed_methods=None,
            status_forcelist=AGAIN,
            backoff_factor=BACKOFF,
            backoff_max=MOST_SECONDS,
            backoff_jitter=BACKOFF,
            raise_on_status=False,
        )

    @cached_property
    def _pool(self) -> PoolManager:
        return PoolManager(timeout=Timeout(self.timeout))

    def _tries(self, error: MaxRetryError) -> str:
        return f"timeout {self.timeout:g} s, up to {self.retries} retries"

    def _read(self, response: BaseHTTPResponse, key: str, span: str) -> dict[str, Any]:
        if response.status != 200:
            self._refused(response, key, span)
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise InputError(
                f"{self.host} answered with no JSON object for {span}.",
                f"Check that {self.url}/embeddings is an OpenAI-compatible endpoint.",
            )
        return answer

    def _refused(self, response: BaseHTTPResponse, key: str, span: str) -> NoReturn:
        told = said(response.data, key)
        what = f"{self.host} answered {response.status} for {span}" + (f": {told}" if told else ".")
        if response.status in (401, 403):
            held = f"the key in {self.key}" if self.key else "`key`: none is sent"
            raise InputError(what, f"Check {held}. {GOES_ON}")
        if response.status == 429:
            remedy = (
                f"Set `requests_per_minute` or `tokens_per_minute`, or raise `retries`. {GOES_ON}"
            )
        elif response.status in AGAIN:
            remedy = f"Try later. {GOES_ON}"
        elif 300 <= response.status < 400:
            remedy = "It wants to send the texts elsewhere; give the right address as `url`."
        elif response.status == 404:
            remedy = "Check `url` (it ends before /embeddings) and `model`."
        else:
            remedy = f"Mend what it names, then run the same again. {GOES_ON}"
        raise InputError(what, remedy)

    def _count(self, answer: dict[str, Any], characters: int, seconds: float) -> None:
        usage = answer.get("usage")
        told = usage if isinstance(usage, dict) else {}
        tokens = told.get("prompt_tokens") or told.get("total_tokens") or 0
        tokens = tokens if isinstance(tokens, int) and tokens > 0 else 0
        self.pace.correct(tokens)
        self.usage.requests += 1
        self.usage.tokens += tokens
        self.usage.characters += characters if tokens else 0
        self.usage.seconds += seconds
        if isinstance(model := answer.get("model"), str):
            self.usage.models.add(model)


def _reason(error: MaxRetryError) -> str:
    """What went wrong, without addresses of objects."""
    reason = str(error.reason or error)
    return reason.rpartition(": ")[2] if ": " in reason else reason
