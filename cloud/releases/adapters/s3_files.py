"""Repositories in a bucket of an S3 server: keys `tuf/{tenant}/metadata/…` and `tuf/{tenant}/targets/…`."""

from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from cloud.config import CloudConfig
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.objects.s3_client import s3_client, translated
from cloud.releases.errors import FileMissing, ReleasesAway, ReleasesRefused
from cloud.releases.paths import checked
from cloud.releases.ports import Piece

_BEHIND_THE_END: Final = frozenset({"InvalidRange", "416"})


class S3Files:
    """As `ReleaseFiles`.

    Args:
        client: boto3's.
        bucket: `releases.bucket` of the configuration.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def open(cls, config: CloudConfig) -> "S3Files":
        """Over the server of the configuration."""
        bucket = config.releases.bucket
        return cls(s3_client(replace(config.s3, bucket=bucket)), bucket)

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        """As the port says."""
        key = checked(tenant, path)
        try:
            with translated(f"{self._bucket}/{key}"):
                return self._read(key, offset, length)
        except ObjectMissing as error:
            raise FileMissing(f"{path} is not there") from error
        except StoreRefused as error:
            raise ReleasesRefused(str(error), remedy=error.remedy) from error
        except ObjectsAway as error:
            raise ReleasesAway(str(error)) from error

    def _read(self, key: str, offset: int, length: int) -> Piece:
        where = {"Bucket": self._bucket, "Key": key}
        try:
            answer = self._client.get_object(**where, Range=f"bytes={offset}-{offset + length - 1}")
            data = _all_of(answer["Body"], length)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BEHIND_THE_END:
                raise
            return Piece(b"", int(self._client.head_object(**where)["ContentLength"]))
        # `bytes 0-99/1234`; a server that ignores ranges answers the whole file and has no such header.
        covered = answer.get("ContentRange", "")
        if covered:
            return Piece(data, int(covered.rpartition("/")[2]))
        if offset:
            raise ReleasesAway(f"the object store ignored the range of {key}")
        return Piece(data, int(answer["ContentLength"]))


def _all_of(body: Any, most: int) -> bytes:
    try:
        return bytes(body.read(most))
    except (BotoCoreError, OSError) as error:
        raise ReleasesAway(f"the object store ended its answer early: {error}") from error
    finally:
        body.close()
