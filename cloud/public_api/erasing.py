"""Erasing what a person asks to have erased: log, rows and consents, plaintext; then the keeper goes on.

The order is the point. The log in S3 comes first, so that no restore can undo what follows. One transaction
then ends everything that has rows; the consents' keys and versions are the keeper's, as for every consent.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud.database.engine import Database
from cloud.intake.intake_store import IntakeStore
from cloud.objects.ports import ObjectsAway, ObjectStore, StoreRefused
from cloud.privacy.person_log import PersonEntry, entry_bytes, entry_key, person_digest
from cloud.public_api.adapters.erasing import Erased, Order, erase_person, erase_upload
from cloud.public_api.adapters.uploads import read_ticket
from cloud.public_api.caller import Caller
from cloud.public_api.problems import problem
from daemon.log_fields import fields

log = logging.getLogger(__name__)

PROOF_BYTES: Final = 16
LOG_TAGS: Final = {"retention": "erasure-log"}
"""The life cycle of S3 leaves these objects alone; the keeper ends them."""
_OF_UPLOAD: Final = b"topscoop/erasure-of-upload\0"


@dataclass(frozen=True, slots=True)
class Erasing:
    """Threads may share one.

    Attributes:
        frames: The bucket with the erasure log, opened when it is first needed.
        intake: The bucket of uploads.
        plaintext_ms: So long a picture may lie there at most.
        randomness: So many random bytes.
    """

    database: Database
    frames: Callable[[], ObjectStore]
    intake: IntakeStore
    now_ms: Callable[[], int]
    plaintext_ms: int
    randomness: Callable[[int], bytes]

    def person(self, caller: Caller) -> bytes:
        """Erase everything of a person; returns the proof's id.

        Raises:
            Problem: `not-ready`: the log cannot be written; nothing happened.
            DatabaseAway: Nothing was erased; ask again.
        """
        order = self._order(caller, self.randomness(PROOF_BYTES))
        digest = person_digest(caller.tenant, caller.user)
        self._write_log(PersonEntry(caller.tenant, order.proof.hex(), order.now_ms, person=digest))
        with self.database.tenant(caller.tenant) as connection:
            erased = erase_person(connection, order)
        self._end(caller, erased, "person.erased")
        return order.proof

    def upload(self, caller: Caller, request: bytes) -> bytes:
        """Erase one upload, once or again; returns the proof's id, the same each time.

        Raises:
            Problem: `not-found`; `not-ready`: the log cannot be written; nothing happened.
            DatabaseAway: Nothing was erased; ask again.
        """
        with self.database.tenant(caller.tenant, read_only=True) as connection:
            known = read_ticket(connection, caller.tenant, caller.user, request)
        erased = None
        if known is not None:
            order = self._order(caller, proof_of_upload(caller.tenant, request))
            self._write_log(PersonEntry(caller.tenant, order.proof.hex(), order.now_ms, upload=request.hex()))
            with self.database.tenant(caller.tenant) as connection:
                erased = erase_upload(connection, order, request)
        if erased is None:
            raise problem("not-found", "you have no upload of this id")
        self._end(caller, erased, "upload.erased")
        return order.proof

    def _order(self, caller: Caller, proof: bytes) -> Order:
        return Order(caller.tenant, caller.user, proof, self.now_ms(), self.plaintext_ms)

    def _write_log(self, entry: PersonEntry) -> None:
        try:
            self.frames().put(entry_key(entry), entry_bytes(entry), {}, LOG_TAGS)
        except (ObjectsAway, StoreRefused) as error:
            log.error("erasure.waiting", extra=fields(tenant=entry.tenant, error=str(error)))  # noqa: TRY400
            raise problem(
                "not-ready",
                "the erasure cannot be logged now; nothing happened",
                headers={"Retry-After": "5"},
            ) from error

    def _end(self, caller: Caller, erased: Erased, event: str) -> None:
        left = 0
        for key in erased.keys:
            try:
                self.intake.delete(key)
            except (ObjectsAway, StoreRefused) as error:
                # Without a ticket it is nobody's: the intake's looks delete it, within the plaintext's time.
                left += 1
                log.warning("erasure.left", extra=fields(tenant=caller.tenant, error=str(error)))
        log.info(event, extra=fields(tenant=caller.tenant, left=left, **erased.counts()))


def proof_of_upload(tenant: str, request: bytes) -> bytes:
    """The proof of one upload's erasure: whoever erases it twice holds one proof."""
    return hashlib.sha256(_OF_UPLOAD + tenant.encode() + b"\0" + request).digest()[:PROOF_BYTES]
