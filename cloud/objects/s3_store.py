"""A bucket of an S3 server, through boto3: administration, erasure, and puts where speed does not matter."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from cloud.config import S3Config
from cloud.objects.ports import ObjectsAway, StoredObject, StoreRefused, Version
from cloud.objects.s3_client import s3_client, translated

CONTENT_TYPE = "application/cbor"


class S3Store:
    """One bucket.

    Args:
        config: Address, bucket, credentials.
        client: boto3's; made from `config` where it is not given.
    """

    def __init__(self, config: S3Config, client: Any = None) -> None:
        self.bucket = config.bucket
        self._client = client if client is not None else s3_client(config)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """As the port says; S3 checks the MD5 that is sent, and answers the one that it has."""
        md5 = hashlib.md5(body, usedforsecurity=False)
        with translated(f"{self.bucket}/{key}"):
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType=CONTENT_TYPE,
                ContentMD5=base64.b64encode(md5.digest()).decode(),
                Metadata=dict(metadata),
                Tagging=urlencode(tags),
            )
        return confirmed_version(key, answer.get("VersionId"), answer.get("ETag"), md5.hexdigest())

    def versions(self, prefix: str) -> Iterator[Version]:
        """As the port says."""
        return self._listed(prefix, "Versions")

    def delete_markers(self, prefix: str) -> Iterator[Version]:
        """As the port says."""
        return self._listed(prefix, "DeleteMarkers")

    def folders(self, prefix: str) -> Iterator[str]:
        """As the port says."""
        for page in self._pages("list_object_versions", Prefix=prefix, Delimiter="/"):
            for common in page.get("CommonPrefixes", ()):
                yield common["Prefix"]

    def metadata(self, key: str, version: str) -> Mapping[str, str]:
        """As the port says."""
        with translated(f"{self.bucket}/{key}"):
            answer = self._client.head_object(Bucket=self.bucket, Key=key, VersionId=version)
        return dict(answer.get("Metadata", {}))

    def tags(self, key: str, version: str) -> Mapping[str, str]:
        """What the version was tagged with."""
        with translated(f"{self.bucket}/{key}"):
            answer = self._client.get_object_tagging(Bucket=self.bucket, Key=key, VersionId=version)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def get(self, key: str, version: str) -> StoredObject:
        """As the port says."""
        with translated(f"{self.bucket}/{key}"):
            answer = self._client.get_object(Bucket=self.bucket, Key=key, VersionId=version)
            body = answer["Body"].read()
        return StoredObject(key, version, body, dict(answer.get("Metadata", {})))

    def delete(self, key: str, version: str) -> None:
        """As the port says."""
        with translated(self.bucket):
            self._client.delete_object(Bucket=self.bucket, Key=key, VersionId=version)

    def _listed(self, prefix: str, what: str) -> Iterator[Version]:
        for page in self._pages("list_object_versions", Prefix=prefix):
            for entry in page.get(what, ()):
                stored_at_ms = int(entry["LastModified"].timestamp() * 1000)
                yield Version(entry["Key"], entry["VersionId"], entry.get("Size", 0), stored_at_ms)

    def _pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        pages = iter(self._client.get_paginator(operation).paginate(Bucket=self.bucket, **arguments))
        while True:
            with translated(self.bucket):
                page = next(pages, None)
            if page is None:
                return
            yield page


def confirmed_version(key: str, version: str | None, etag: str | None, md5_hex: str) -> str:
    """The id that a store gave to a version, once it is sure that it holds what was sent.

    Raises:
        StoreRefused: The bucket keeps no versions.
        ObjectsAway: It does not answer the MD5 of what was sent.
    """
    if not version or version == "null":
        raise StoreRefused(
            f"the store gave {key} no version id: the bucket keeps no versions",
            remedy="Run `topscoop cloud setup`: it switches versions on.",
        )
    if (etag or "").strip('"').lower() != md5_hex:
        raise ObjectsAway(
            f"the store did not confirm the MD5 of {key}: other bytes, or a bucket that encrypts with KMS"
        )
    return version
