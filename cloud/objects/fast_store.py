"""The hot put: obstore's client, an order of magnitude less work a request than boto3's (docs/collector.md).

Everything else goes to an `S3Store` in threads.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store as ObstoreClient

from cloud.config import S3Config
from cloud.objects.coroutines import InThreads
from cloud.objects.ports import ObjectsAway, StoreRefused
from cloud.objects.s3_store import CONTENT_TYPE, S3Store, confirmed_version

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_RETRIES: Final = 1


class FastStore(InThreads):
    """The collector's objects.

    Args:
        config: Address, bucket, credentials.
        store: The same bucket, for everything but puts.
    """

    def __init__(self, config: S3Config, store: S3Store) -> None:
        super().__init__(store)
        self._client = obstore_client(config)

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """As the port says; obstore sends no MD5, so the one that is answered is compared."""
        try:
            answer = await obstore.put_async(
                self._client,
                key,
                body,
                attributes={"Content-Type": CONTENT_TYPE, **metadata},
                tags=dict(tags),
                use_multipart=False,
            )
        except (PermissionDeniedError, UnauthenticatedError, FileNotFoundError) as error:
            raise StoreRefused(
                f"the object store refuses to store {key}: {first_line(error)}",
                remedy="Correct the keys of [s3]; `topscoop cloud setup` says what is wrong.",
            ) from error
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"the object store did not store {key}: {first_line(error)}") from error
        md5_hex = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return confirmed_version(key, answer["version"], answer["e_tag"], md5_hex)


def obstore_client(config: S3Config) -> ObstoreClient:
    """A client of the configured bucket; nothing is connected yet."""
    options: ClientConfig = {
        "allow_http": True,
        "timeout": timedelta(seconds=config.request_timeout_s),
        "connect_timeout": timedelta(seconds=config.connect_timeout_s),
    }
    credentials: dict[str, Any] = {}
    if config.access_key is not None and config.secret_key is not None:
        credentials = {"access_key_id": config.access_key, "secret_access_key": config.secret_key}
    if config.endpoint_url is not None:
        credentials["endpoint"] = config.endpoint_url
    return ObstoreClient(
        config.bucket,
        region=config.region,
        virtual_hosted_style_request=not config.path_style,
        client_options=options,
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=config.request_timeout_s),
        },
        **credentials,
    )


def first_line(error: Exception) -> str:
    """What obstore says, without the trace of requests behind it."""
    return str(error).partition("\n")[0][:300]
