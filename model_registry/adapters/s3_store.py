"""A release repository in a bucket, below a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model_registry.errors import AlreadyThere, ChangedMeanwhile, StoreAway, StoreFileMissing
from model_registry.releases.ports import FILE_MAX_BYTES

_MISSING: Final = frozenset({"NoSuchKey", "404"})
_CONDITION_FAILED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_REMEDY: Final = (
    "Check bucket, endpoint and credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), and try again."
)


class S3Store:
    """Objects of one chain.

    Writes are conditional (`If-None-Match`, `If-Match`). A server that ignores the conditions, as some do for
    buckets that keep versions, lets of two who publish in the same moment the later one win.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix.rstrip("/") + "/"

    def get(self, path: str) -> bytes:
        """As the port says."""
        return self._read(path)[0]

    def put_new(self, path: str, content: bytes) -> None:
        """As the port says."""
        try:
            if self.get(path) == content:
                return
        except StoreFileMissing:
            if self._put(path, content, IfNoneMatch="*") or self.get(path) == content:
                return
        raise AlreadyThere(f"{path} exists with other content")

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """As the port says."""
        try:
            found, tag = self._read(path)
        except StoreFileMissing:
            done = expected is None and self._put(path, content, IfNoneMatch="*")
        else:
            done = found == expected and self._put(path, content, IfMatch=tag)
        if not done:
            raise ChangedMeanwhile(f"{path} was replaced by somebody else meanwhile")

    def names(self, folder: str) -> frozenset[str]:
        """As the port says."""
        prefix = f"{self._prefix}{folder}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        with _translated(folder):
            keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return frozenset(key.removeprefix(self._prefix) for key in keys)

    def _read(self, path: str) -> tuple[bytes, str]:
        with _translated(path):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)
            except ClientError as error:
                if _code(error) in _MISSING:
                    raise StoreFileMissing(f"the repository has no {path}") from error
                raise
            # Without its quotes: in `If-Match`, Ceph takes them for a part of it.
            return answer["Body"].read(FILE_MAX_BYTES + 1), answer["ETag"].strip('"')

    def _put(self, path: str, content: bytes, **condition: str) -> bool:
        """Whether the condition held."""
        with _translated(path):
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=self._prefix + path, Body=content, **condition
                )
            except ClientError as error:
                if _code(error) in _CONDITION_FAILED:
                    return False
                raise
        return True


def open_s3(bucket: str, prefix: str, endpoint: str | None) -> S3Store:
    """With the credentials that boto3 finds."""
    with _translated(bucket):
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            config=Config(
                signature_version="s3v4",
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if endpoint else "auto"},
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )
    return S3Store(client, bucket, prefix)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise StoreAway(f"{path}: {error}", remedy=_REMEDY) from error
