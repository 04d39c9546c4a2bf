"""What the recommender asks of the world around it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloud.jobs.values import Lease
from cloud.recommender.values import Champion, Ending, Leased, Ticket
from inference import FlavourModel


class Rows(Protocol):
    """Jobs, uploads and recommendations. Every method may raise `DatabaseAway`: nothing of it was kept."""

    def lease(self, limit: int) -> list[Leased]:
        """Up to so many jobs, tenants in turn, each with its upload as it is in the same transaction."""

    def give_back(self, leases: Sequence[Lease]) -> None:
        """Leave jobs that were not begun to others."""

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> set[bytes]:
        """End uploads of one tenant in one transaction, wake who waits, and say which were written.

        Left out is what another worker took over, and what its owner took back meanwhile. The job ends too,
        but for a picture that is to be kept: it stays leased, for the second step.
        """

    def finish(self, leases: Sequence[Lease]) -> None:
        """End jobs of one tenant whose upload has ended before."""

    def retry(self, lease: Lease, error: str, after_ms: int, *, counts: bool) -> None:
        """Try again later; what is not the upload's fault is no attempt."""

    def give_up(self, lease: Lease, error: str, now_ms: int) -> None:
        """Set the job aside; an upload without a recommendation ends as `repeatedly-failed`."""

    def deleted(self, tenant: str, requests: Sequence[bytes], now_ms: int) -> None:
        """Note that these pictures are gone from the intake bucket."""


class Pictures(Protocol):
    """The intake bucket. Both may raise `ObjectsAway` or `StoreRefused`."""

    def get(self, key: str, most_bytes: int) -> bytes:
        """The whole object; raises `ObjectMissing`, and `LongerThanAllowed` without reading on."""

    def delete_all(self, keys: Sequence[str]) -> None:
        """Delete objects for good; missing ones are no error."""


class Decoder(Protocol):
    """The guarded decoder; threads may share one."""

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels, uint8 [H, W, 3] BGR; raises `RefusedPicture`, `PictureWorkerUnavailable`."""


class Models(Protocol):
    """The chains' models, warm; threads may share one."""

    def champion(self, tenant: str) -> Champion | None:
        """What a chain's recommendations come from now; None: nothing. May raise `DatabaseAway`."""

    def use(self, champion: Champion) -> AbstractContextManager[FlavourModel]:
        """Its network, for one thread until the block ends.

        Raises `UnusableModel` where it is not what was signed or does not load, `ReleasesAway` where it
        cannot be fetched now.
        """


class Promote(Protocol):
    """Keeps a picture under its person's consent, sealed as a register's frame is."""

    def __call__(self, ticket: Ticket, picture: NDArray[np.uint8], /) -> None:
        """Called after the recommendation is durable; again, after it raised or its process died.

        Idempotent by the request. A consent that was withdrawn meanwhile is no error: nothing is kept.

        Args:
            ticket: Of the upload.
            picture: uint8 [H, W, 3] BGR.

        Raises:
            PromotionLater: The sealed picture is durable, and will be stored without the pixels.
            TopscoopError: Not now; it is tried again, and the recommendation stays.
        """


class Watch(Protocol):
    """Who counts; methods are called by several threads."""

    def decoded(self, seconds: float) -> None:
        """A picture was decoded or refused."""

    def ended(self, ending: Ending, total_ms: int) -> None:
        """An upload has ended, so long after its arrival."""

    def retried(self, lease: Lease, error: Exception, *, counts: bool) -> None:
        """An attempt failed."""

    def gave_up(self, lease: Lease, error: str) -> None:
        """A job was set aside."""

    def promoted(self, lease: Lease) -> None:
        """A picture was kept under its consent."""

    def left(self, error: Exception, count: int) -> None:
        """So many pictures could not be deleted; the sweeper does it."""
