"""boto3's client as this project uses it, and what its errors mean."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from cloud.config import S3Config
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused

_ATTEMPTS: Final = 2
_CONNECTIONS: Final = 32
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
_WRONG: Final = {
    "NoSuchBucket": "Make the bucket with `topscoop cloud setup`, or correct its name in the configuration.",
    "AccessDenied": "Give this access key the rights to the bucket that docs/collector.md lists.",
    "InvalidAccessKeyId": "Correct s3.access_key.",
    "SignatureDoesNotMatch": "Correct s3.secret_key; s3.region must be the server's.",
    "AuthorizationHeaderMalformed": "Correct s3.region.",
    "PermanentRedirect": "Correct s3.region or s3.endpoint_url.",
    "ExpiredToken": "Renew the credentials of this machine's role.",
    "RequestTimeTooSkewed": "Set this machine's clock: it differs from the server's.",
    "InvalidBucketName": "Correct s3.bucket.",
    "403": "Correct s3.access_key and s3.secret_key, or their rights to the bucket.",
    "404": "Make the bucket with `topscoop cloud setup`, or correct its name in the configuration.",
}
"""S3's codes that no repetition mends, with what does."""


def s3_client(config: S3Config, *, public: bool = False) -> Any:
    """A client; `public` addresses the server as clients outside reach it, for signed URLs."""
    endpoint = config.public_endpoint_url if public and config.public_endpoint_url else config.endpoint_url
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=config.region,
        aws_access_key_id=config.access_key,
        aws_secret_access_key=config.secret_key,
        verify=str(config.ca_file) if config.ca_file else None,
        config=Config(
            # Without it, boto3 signs URLs with version 2.
            signature_version="s3v4",
            # Newer checksums by default break servers that are not Amazon's; the MD5 is sent and compared.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Not `auto`: that signs for Amazon's global host, which redirects to the region for hours.
            s3={"addressing_style": "path" if config.path_style else "virtual"},
            connect_timeout=config.connect_timeout_s,
            read_timeout=config.request_timeout_s,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=_CONNECTIONS,
        ),
    )


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn boto3's errors into those of the port.

    Args:
        what: The bucket, or the object in it.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, what) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreRefused(
            f"no credentials for {what}", remedy="Set s3.access_key and s3.secret_key, or the machine's role."
        ) from error
    except ParamValidationError as error:
        raise StoreRefused(f"{what}: {error}", remedy="Correct s3.bucket.") from error
    except BotoCoreError as error:
        raise ObjectsAway(
            f"the object store does not answer for {what}: {error}",
            remedy="It is asked again by itself; look at the server and at s3.endpoint_url.",
        ) from error


def _of_answer(error: ClientError, what: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", "?"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING and "/" in what:
        return ObjectMissing(f"{what} is not there")
    if code in _WRONG:
        return StoreRefused(f"the object store refuses {what}: {code}", remedy=_WRONG[code])
    return ObjectsAway(f"the object store answered {status} {code} for {what}")
