"""The intake bucket as the recommender uses it, through obstore: a tenth of boto3's work for each request."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from cloud.config import CloudConfig
from cloud.intake.intake_store import LongerThanAllowed
from cloud.objects.fast_store import first_line, obstore_client
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused

_REMEDY: Final = "Correct the keys of [s3]; `topscoop cloud setup` says what is wrong."


class S3Pictures:
    """As `ports.Pictures`; threads may share one.

    Args:
        config: Address, credentials and the bucket's name.
    """

    def __init__(self, config: CloudConfig) -> None:
        self._client = obstore_client(replace(config.s3, bucket=config.intake.bucket))

    def get(self, key: str, most_bytes: int) -> bytes:
        """As the port says."""
        try:
            answer = obstore.get(self._client, key)
            if answer.meta["size"] > most_bytes:
                raise LongerThanAllowed(f"{key} holds more than {most_bytes} bytes")
            return bytes(answer.bytes())
        except FileNotFoundError as error:
            raise ObjectMissing(f"{key} is not there") from error
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreRefused(
                f"the object store refuses to give {key}: {first_line(error)}", remedy=_REMEDY
            ) from error
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"the object store did not give {key}: {first_line(error)}") from error

    def delete_all(self, keys: Sequence[str]) -> None:
        """As the port says."""
        try:
            # One is a DELETE of its own; many are one request.
            obstore.delete(self._client, keys[0] if len(keys) == 1 else list(keys))
        except FileNotFoundError:
            return  # some stores say so; it is what was wanted
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreRefused(
                f"the object store refuses to delete: {first_line(error)}", remedy=_REMEDY
            ) from error
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"the object store did not delete: {first_line(error)}") from error
