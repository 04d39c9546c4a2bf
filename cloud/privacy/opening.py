"""Opening a frame: the only way to a picture, and each one is in the audit log before it is opened."""

from collections.abc import Callable
from dataclasses import dataclass

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.tenancy import read_service_keys
from cloud.objects.ports import ObjectMissing, ObjectStore
from cloud.operations.frames import StoredFrame
from cloud.privacy.adapters.handover_rows import HandoverRows
from cloud.privacy.errors import OpeningRefused
from cloud.privacy.frame_object import SealedFrame, verify_frame
from cloud.privacy.ports import KeyVault
from cloud.privacy.records import Records
from wire_protocol.envelope import KeyLookup, KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.sealing import SealBroken
from wire_protocol.topics import Identity


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opens frames, and what for; both stand in the audit log."""

    actor: str
    purpose: str


class Opener:
    """Opens frames, one by one.

    Args:
        database: The cloud's.
        vault: The keys'.
        objects: The bucket.
        clock: Milliseconds since 1970.
    """

    def __init__(
        self, database: Database, vault: KeyVault, objects: ObjectStore, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._records = Records(database)
        self._handovers = HandoverRows(database)
        self._vault = vault
        self._objects = objects
        self._clock = clock

    def open(self, frame: StoredFrame, reader: Reader) -> bytes:
        """The picture's JPEG.

        Raises:
            OpeningRefused: The consent ended or does not cover it; the object is not what was stored.
            KeyGone: The consent's key was destroyed.
            TopscoopError: A store is away.
        """
        # 1. Has the consent ended? The key's destruction follows its row, by moments or by hours.
        self._refuse_ended(frame)
        # 2. Is the object what the register signed, and does the consent in it cover this?
        sealed = self._verified(frame)
        # 3. Written down before, not after: an opening that nobody logged must be impossible.
        now_ms = self._clock()
        with self._database.tenant(frame.tenant) as connection:
            write_audit(
                connection,
                frame.tenant,
                now_ms,
                actor=reader.actor,
                action="frame.opened",
                subject=frame.message_id.hex(),
                detail={"purpose": reader.purpose, "consent": frame.consent.hex()},
            )
        # 4. With the key, inside of the vault.
        try:
            return self._vault.unseal(frame.tenant, frame.consent, sealed.sealed, sealed.info)
        except SealBroken as error:
            raise OpeningRefused(f"frame {frame.message_id.hex()}: {error}") from error

    def _refuse_ended(self, frame: StoredFrame) -> None:
        if self._records.withdrawal(frame.tenant, frame.consent) is not None:
            raise OpeningRefused(f"frame {frame.message_id.hex()}: its consent was withdrawn or has ended")
        # A yes on a phone may be taken back before its consent has come; the keeper ends it a moment later.
        if self._handovers.taken_back(frame.tenant, frame.consent):
            raise OpeningRefused(f"frame {frame.message_id.hex()}: its consent was taken back on a phone")
        if self._clock() >= frame.expires_at_ms:
            raise OpeningRefused(f"frame {frame.message_id.hex()}: its retention is over")

    def _verified(self, frame: StoredFrame) -> SealedFrame:
        identity = Identity(frame.tenant, frame.register)
        keys = self._records.register_keys(frame.tenant, frame.register)
        try:
            body = self._objects.get(frame.object_key, frame.version).body
            sealed = verify_frame(body, identity, keys.get, self._service_keys(frame.tenant), self._clock())
        except (RefusedMessage, ObjectMissing) as error:
            raise OpeningRefused(f"frame {frame.message_id.hex()}: {error}") from error
        if (sealed.consent.consent_id, sealed.frame.interaction) != (frame.consent, frame.interaction):
            raise OpeningRefused(f"frame {frame.message_id.hex()}: another frame lies in its place")
        return sealed

    def _service_keys(self, tenant: str) -> KeyLookup:
        with self._database.tenant(tenant, read_only=True) as connection:
            keys = [key for key in read_service_keys(connection, tenant) if key.purpose == "consent"]
        records = {
            key.key.kid: KeyRecord(key.key, key.valid_from_ms, key.valid_until_ms or TIME_MAX_MS)
            for key in keys
        }
        return records.get
