"""The intake bucket of an S3 server, through boto3; through obstore what every arrival asks."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cloud.config import CloudConfig, S3Config
from cloud.intake.adapters.fast_heads import FastHeads, StoreClock
from cloud.intake.intake_store import ListedObject, LongerThanAllowed, ObjectHead
from cloud.objects.ports import ObjectMissing
from cloud.objects.s3_client import s3_client, translated


class S3IntakeStore:
    """One bucket.

    Args:
        config: Address, credentials, and the bucket's name.
        client: boto3's; made from `config` where it is not given.
    """

    def __init__(self, config: S3Config, client: Any = None) -> None:
        self.bucket = config.bucket
        self._client = client if client is not None else s3_client(config)
        self._fast = FastHeads(config, StoreClock(self._ask_clock)) if config.ca_file is None else None

    @classmethod
    def open(cls, config: CloudConfig) -> "S3IntakeStore":
        """The bucket of the configuration; nothing is connected yet."""
        return cls(replace(config.s3, bucket=config.intake.bucket))

    def head(self, key: str) -> ObjectHead | None:
        """As the port says."""
        return self._fast.head(key) if self._fast is not None else self._slow_head(key)

    def _slow_head(self, key: str) -> ObjectHead | None:
        try:
            with translated(f"{self.bucket}/{key}"):
                answer = self._client.head_object(Bucket=self.bucket, Key=key)
        except ObjectMissing:
            return None
        age_ms = _age_ms(_clock(answer), answer["LastModified"])
        return ObjectHead(int(answer["ContentLength"]), str(answer.get("ContentType", "")), age_ms)

    def _ask_clock(self) -> datetime:
        with translated(self.bucket):
            return _clock(self._client.head_bucket(Bucket=self.bucket))

    def get(self, key: str, most_bytes: int) -> bytes:
        """As the port says."""
        with translated(f"{self.bucket}/{key}"):
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            with closing(answer["Body"]) as body:
                if int(answer["ContentLength"]) > most_bytes:
                    raise LongerThanAllowed(f"{key} holds more than {most_bytes} bytes")
                return bytes(body.read())

    def delete(self, key: str) -> None:
        """As the port says."""
        with translated(self.bucket):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def listed(self) -> Iterator[ListedObject]:
        """As the port says."""
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket))
        while True:
            with translated(self.bucket):
                page = next(pages, None)
            if page is None:
                return
            now = _clock(page)
            for entry in page.get("Contents", ()):
                age_ms = _age_ms(now, entry["LastModified"])
                yield ListedObject(entry["Key"], int(entry["Size"]), age_ms)


def _clock(answer: Mapping[str, Any]) -> datetime:
    """The store's time, by the header `Date`; ours where it sends none."""
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)


def _age_ms(now: datetime, put_at: datetime) -> int:
    return max(0, int((now - put_at).total_seconds() * 1000))
