"""What a collector asks of its store before it trusts it with anything.

A store that takes what is unsigned or expired protects nothing; one without versions loses what is written
over.
"""

import base64
import hashlib
import http.client
import secrets
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from cloud.config import S3Config
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.objects.s3_client import s3_client, translated
from cloud.objects.s3_store import S3Store

PREFIX: Final = "probe/"
_BODY: Final = b"topscoop: does this store check what it is sent?"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the store ought not to do."""

    name: str
    """Stable: `unsigned-put`, `expired-put`, `no-versions`, `wrong-checksum`, `written-over`."""
    words: str
    remedy: str


def probe_store(config: S3Config) -> tuple[Finding, ...]:
    """Everything that is wrong with the store; it is left as it was found.

    Raises:
        ObjectsAway: It does not answer.
        StoreRefused: Wrong bucket, wrong credentials.
    """
    client = s3_client(config)
    store = S3Store(config, client)
    key = f"{PREFIX}{secrets.token_hex(16)}"
    findings = []
    try:
        try:
            version = store.put(key, _BODY, {"purpose": "probe"}, {"purpose": "probe"})
            if store.get(key, version).body != _BODY:
                raise ObjectsAway("the store gives back other bytes than it was sent")
        except StoreRefused as error:
            if "version id" not in str(error):
                raise
            findings.append(Finding("no-versions", str(error), error.remedy))
        findings += [finding for check in _CHECKS if (finding := check(config, client, key)) is not None]
    finally:
        _clean(store, client, config.bucket, key)
    return tuple(findings)


def probe_signatures(config: S3Config) -> tuple[Finding, ...]:
    """What a bucket without versions takes although it ought not; it is left as it was found.

    Raises:
        ObjectsAway: The store does not answer.
        StoreRefused: Wrong bucket, wrong credentials.
    """
    client = s3_client(config)
    key = f"{PREFIX}{secrets.token_hex(16)}"
    try:
        found = [check(config, client, key) for check in (_unsigned, _expired, _written_over)]
    finally:
        with translated(config.bucket):
            client.delete_object(Bucket=config.bucket, Key=key)
    return tuple(finding for finding in found if finding is not None)


def check_store(config: S3Config, *, development: bool, warn: Callable[[Finding], None]) -> None:
    """Refuse a store that does not protect what it is given; in development, warn.

    Raises:
        ObjectsAway: It does not answer.
        StoreRefused: As `probe_store`, and for its findings outside of development.
    """
    findings = probe_store(config)
    for finding in findings:
        if not development or finding.name == "no-versions":
            raise StoreRefused(finding.words, remedy=finding.remedy)
        warn(finding)


def _unsigned(config: S3Config, client: Any, key: str) -> Finding | None:
    url = client.generate_presigned_url("put_object", Params={"Bucket": config.bucket, "Key": key})
    if not _taken(config, urlsplit(url)._replace(query="").geturl()):
        return None
    return Finding(
        "unsigned-put",
        "the store takes a PUT that nobody signed",
        "Close the bucket to the public; an emulator is for development only (s3.emulated).",
    )


def _expired(config: S3Config, client: Any, key: str) -> Finding | None:
    credentials = client._request_signer._credentials  # noqa: SLF001 - as it signs, whatever they come from
    url = client.generate_presigned_url("put_object", Params={"Bucket": config.bucket, "Key": key})
    request = AWSRequest("PUT", urlsplit(url)._replace(query="").geturl())
    _LongAgo(credentials, "s3", config.region, expires=60).add_auth(request)
    if not _taken(config, request.url):
        return None
    return Finding(
        "expired-put",
        "the store takes a PUT whose signature has expired",
        "Use a store that checks signatures; an emulator is for development only (s3.emulated).",
    )


class _LongAgo(S3SigV4QueryAuth):  # type: ignore[misc]
    """Signs as if it were 2020."""

    def add_auth(self, request: Any) -> None:
        """As the base class, but for the time."""
        request.context["timestamp"] = "20200101T000000Z"
        self._modify_request_before_signing(request)
        canonical = self.canonical_request(request)
        to_sign = self.string_to_sign(request, canonical)
        self._inject_signature_to_request(request, self.signature(to_sign, request))


def _wrong_checksum(config: S3Config, client: Any, key: str) -> Finding | None:
    other = base64.b64encode(hashlib.md5(b"other bytes", usedforsecurity=False).digest()).decode()
    try:
        with translated(f"{config.bucket}/{key}"):
            client.put_object(Bucket=config.bucket, Key=key, Body=_BODY, ContentMD5=other)
    except (ObjectsAway, StoreRefused):
        return None
    return Finding(
        "wrong-checksum",
        "the store takes bytes that are not those of their MD5",
        "Use a store that compares Content-MD5; an emulator is for development only (s3.emulated).",
    )


def _written_over(config: S3Config, client: Any, key: str) -> Finding | None:
    with translated(f"{config.bucket}/{key}"):
        client.put_object(Bucket=config.bucket, Key=key, Body=_BODY)
    try:
        client.put_object(Bucket=config.bucket, Key=key, Body=_BODY, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == http.HTTPStatus.PRECONDITION_FAILED:
            return None
        raise
    return Finding(
        "written-over",
        "the store writes over an object although If-None-Match: * forbids it",
        "A signed URL may be used again until it expires; the recommender takes the announced bytes alone.",
    )


_CHECKS: Final = (_unsigned, _expired, _wrong_checksum)


def _taken(config: S3Config, url: str) -> bool:
    """Whether a PUT to this URL succeeds, with nothing but what stands in it."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
        connection = http.client.HTTPSConnection(
            host, port, timeout=config.request_timeout_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=config.request_timeout_s)
    with closing(connection):
        try:
            connection.request("PUT", parts._replace(scheme="", netloc="").geturl(), body=_BODY)
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException) as error:
            raise ObjectsAway(f"the object store does not answer: {error}") from error


def _clean(store: S3Store, client: Any, bucket: str, key: str) -> None:
    for version in [*store.versions(key), *store.delete_markers(key)]:
        store.delete(key, version.version)
    try:
        with translated(f"{bucket}/{key}"):
            client.delete_object(Bucket=bucket, Key=key, VersionId="null")
    except ObjectMissing:
        return
