"""The intake bucket as the recommender uses it, through obstore: a tenth of boto3's work for each request.

obstore knows nothing of a certificate authority of one's own: where there is one, boto3 does it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from cloud.config import CloudConfig
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.intake_store import LongerThanAllowed
from cloud.objects.fast_store import first_line, obstore_client
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.recommender.ports import Pictures

_REMEDY: Final = "Correct the keys of [s3]; `topscoop cloud setup` says what is wrong."


def open_pictures(config: CloudConfig) -> Pictures:
    """The pictures of the configuration; nothing is connected yet."""
    return S3Pictures(config) if config.s3.ca_file is None else SlowPictures(S3IntakeStore.open(config))


class SlowPictures:
    """As `ports.Pictures`, through boto3; threads may share one.

    Args:
        store: The bucket.
    """

    def __init__(self, store: S3IntakeStore) -> None:
        self._store = store

    def get(self, key: str, most_bytes: int) -> bytes:
        """As the port says."""
        return self._store.get(key, most_bytes)

    def delete_all(self, keys: Sequence[str]) -> None:
        """As the port says."""
        for key in keys:
            self._store.delete(key)


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
