"""HEAD requests through obstore: an arrival is one, and boto3 takes six times the processor for it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from cloud.config import S3Config
from cloud.intake.intake_store import ObjectHead
from cloud.objects.fast_store import first_line, obstore_client
from cloud.objects.ports import ObjectsAway, StoreRefused

_GOOD_FOR_S: Final = 60.0


class StoreClock:
    """The store's time of day, counted on by a clock that never steps; any thread may ask.

    Args:
        ask: Asks the store what time it is.
        monotonic: Seconds.
    """

    def __init__(self, ask: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._known: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The store is asked at most once a minute; raises what asking raises."""
        known = self._known
        if known is None or self._monotonic() >= known[1] + _GOOD_FOR_S:
            known = self._known = (self._ask(), self._monotonic())
        said, at_s = known
        return said + timedelta(seconds=self._monotonic() - at_s)


class FastHeads:
    """What lies under a key of one bucket; threads may share it.

    Args:
        config: Address, credentials and bucket; without `ca_file`, of which obstore knows nothing.
        clock: Of the store.
    """

    def __init__(self, config: S3Config, clock: StoreClock) -> None:
        self._client = obstore_client(config)
        self._clock = clock

    def head(self, key: str) -> ObjectHead | None:
        """As `IntakeStore.head`."""
        try:
            answer = obstore.get(self._client, key, options={"head": True})
        except FileNotFoundError:
            return None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise StoreRefused(
                f"the object store refuses to tell of {key}: {first_line(error)}",
                remedy="Correct s3.access_key and s3.secret_key, or their rights to the bucket.",
            ) from error
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"the object store does not answer for {key}: {first_line(error)}") from error
        age = self._clock.now() - answer.meta["last_modified"]
        content_type = str(answer.attributes.get("Content-Type", ""))
        return ObjectHead(answer.meta["size"], content_type, max(0, int(age.total_seconds() * 1000)))
