"""The signer makes what boto3 makes, for the address that clients reach."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cloud.config import CloudConfig, S3Config
from cloud.intake.adapters.s3_url_signer import S3UrlSigner
from cloud.intake.signed_urls import Announced
from cloud.intake.values import CONTENT_TYPE, ObjectPlace
from cloud.objects.s3_client import s3_client

PLACE = ObjectPlace("acme", bytes(range(16)))
PLAIN = Announced(CONTENT_TYPE, 123_456, bytes(range(32)))
WITH_MD5 = Announced(CONTENT_TYPE, 1, bytes(32), bytes(16))


def config(**changes: Any) -> CloudConfig:
    keys = {"access_key": "AKIAEXAMPLE", "secret_key": "secret/with+signs"}
    return CloudConfig(s3=S3Config(**{**keys, "endpoint_url": "http://s3.internal:9000"} | changes))


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sign at the same second."""
    now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: now.replace(tzinfo=None))


@pytest.mark.parametrize("announced", [PLAIN, WITH_MD5], ids=["without md5", "with md5"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"public_endpoint_url": "https://s3.localhost:8440"},
        {"endpoint_url": None, "path_style": False, "region": "eu-central-1"},
    ],
    ids=["internal", "public", "amazon"],
)
def test_equal_to_what_boto3_signs(stopped: None, announced: Announced, changes: dict[str, Any]) -> None:
    """Byte by byte, at every kind of address."""
    chosen = config(**changes)
    params = {
        "Bucket": chosen.intake.bucket,
        "Key": PLACE.key,
        "ContentType": announced.content_type,
        "ContentLength": announced.content_length,
        "ChecksumSHA256": base64.b64encode(announced.sha256).decode(),
        "IfNoneMatch": "*",
    }
    if announced.md5 is not None:
        params["ContentMD5"] = base64.b64encode(announced.md5).decode()
    expected = s3_client(chosen.s3, public=True).generate_presigned_url(
        "put_object", Params=params, ExpiresIn=60
    )
    assert S3UrlSigner.open(chosen).sign(PLACE, announced, 60).url == expected


@pytest.mark.parametrize("path_style", [False, True])
def test_amazons_hosts_are_those_of_the_region(path_style: bool) -> None:  # noqa: FBT001
    """The global host redirects to a bucket's region for hours; a browser's PUT follows no redirect."""
    amazon = {"endpoint_url": None, "path_style": path_style, "region": "eu-central-1"}
    host = urlsplit(S3UrlSigner.open(config(**amazon)).base).hostname
    assert host == f"{'' if path_style else 'topscoop-intake.'}s3.eu-central-1.amazonaws.com"


def test_every_header_is_signed() -> None:
    """Length, type, digest and `If-None-Match` belong to the signature, version 4, for up to 60 s (T21)."""
    signed = S3UrlSigner.open(config(public_endpoint_url="https://s3.example")).sign(PLACE, WITH_MD5, 45)
    query = parse_qs(urlsplit(signed.url).query)
    assert query["X-Amz-SignedHeaders"][0].split(";") == sorted(
        ["host", *(name.lower() for name in signed.headers)]
    )
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["45"]
    assert signed.url.startswith(f"https://s3.example/topscoop-intake/{PLACE.key}?")
    assert signed.headers["If-None-Match"] == "*"
    assert signed.headers["Content-Length"] == "1"


@pytest.mark.parametrize("seconds", [0, 61])
def test_no_url_lives_longer_than_a_minute(seconds: int) -> None:
    with pytest.raises(ValueError, match="60 s"):
        S3UrlSigner.open(config()).sign(PLACE, PLAIN, seconds)


def test_a_signed_url_is_not_printed() -> None:
    """It is a permission: a log that shows the object shows nothing of it."""
    assert "X-Amz" not in repr(S3UrlSigner.open(config()).sign(PLACE, PLAIN, 60))
