"""What the environment says of an S3 server, for Arrow and for Lance; and the server's errors in our words.

::

    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   and every other way that Amazon's own tools know
    AWS_REGION or AWS_DEFAULT_REGION           found by the bucket's name where neither is set
    AWS_ENDPOINT_URL                           another server than Amazon's

Keys stay in the environment: both libraries read them there, and none passes through here.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Any

from spaceport.errors import StoreError

__all__ = ["explanation", "file_system", "lance_options"]

ATTEMPTS = 3

_WHY = {
    r"NO_?SUCH_?BUCKET": (
        "there is no such bucket",
        "Make the bucket, or name another.",
    ),
    r"ACCESS_?DENIED|HTTP status 403|403 Forbidden|PermissionDenied|Unauthenticated": (
        "permission was refused",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do there.",
    ),
    r"INVALID_?ACCESS_?KEY|SIGNATURE_?DOES_?NOT_?MATCH|InvalidClientTokenId|401 Unauthorized"
    r"|InvalidToken|ExpiredToken|credentials": (
        "the credentials were refused",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    r"PermanentRedirect|HTTP status 301|301 Moved": (
        "the bucket is in another region",
        "Set AWS_REGION to the bucket's.",
    ),
    r"NETWORK_CONNECTION|error sending request|HTTP error|timed? ?out|error decoding response": (
        "the server cannot be reached",
        "Check AWS_ENDPOINT_URL and the network, then run it again; what was published is whole.",
    ),
    r"AWS Error|Generic S3 error|LanceError\(IO\): .*status code": (
        "the server answered with an error",
        "Run it again; if it comes back, look at the server's log.",
    ),
}
"""What the libraries say, and what it means; the first that fits."""

_MISSING = r"NO_?SUCH_?KEY|Not ?found: |was not found"


def explanation(error: Exception, where: str) -> StoreError | None:
    """Say why the bucket of `where` cannot be used; None for an error that is none of the server's.

    Nothing of the libraries' own words is passed on: they hold addresses and request headers.
    """
    words = str(error)
    for sign, (what, remedy) in _WHY.items():
        if re.search(sign, words, re.IGNORECASE):
            return StoreError(f"The store {where} cannot be used: {what}.", remedy)
        if re.search(_MISSING, words):
            return None
    return None


def file_system(bucket: str) -> Any:
    """Open Arrow's file system for a bucket; one for each setting of the environment."""
    return _file_system(_endpoint(), _region() or _find_region(bucket))


def lance_options() -> dict[str, str]:
    """Give what Lance must be told beside its own look at the environment."""
    options = {"client_max_retries": str(ATTEMPTS), "client_retry_timeout": "20"}
    if endpoint := _endpoint():
        options["aws_endpoint"] = endpoint
        options["allow_http"] = str(endpoint.startswith("http://")).lower()
        options["aws_region"] = _region() or "us-east-1"
    return options


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


@cache
def _find_region(bucket: str) -> str | None:
    if _endpoint() is not None:
        return "us-east-1"
    from pyarrow.fs import resolve_s3_region

    found: str = resolve_s3_region(bucket)
    return found


@cache
def _file_system(endpoint: str | None, region: str | None) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    return S3FileSystem(
        endpoint_override=endpoint,
        region=region,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        connect_timeout=10,
        request_timeout=60,
        allow_delayed_open=True,  # a small file is one request, and comes whole or not at all
    )
