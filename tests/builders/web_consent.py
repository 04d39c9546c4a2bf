"""A chain whose people send pictures by the public API under consents: rows, keys, bucket, keeper."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, insert, select, update

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.schema import frames, recommendations, registers, uploads, web_blanks
from cloud.intake.promotion_composition import build_promoter
from cloud.intake.values import ObjectPlace, Purpose, UploadState
from cloud.objects.memory_store import MemoryStore
from cloud.operations.frames import find_frame
from cloud.operations.tenants import complete_keys, create_tenant
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure import Eraser
from cloud.privacy.keeper import Keeper, Stock
from cloud.privacy.memory_key_vault import MemoryKeyVault
from cloud.privacy.opening import Opener, Reader
from cloud.privacy.records import Records
from cloud.privacy.web_blanks import WebBlanks
from cloud.privacy.web_stock import WebStock
from cloud.public_api.adapters.notices import agree, notice_for
from cloud.service_keys import Purpose as KeyPurpose
from cloud.service_keys import ServiceKeyFolder
from tests.builders.cloud_database import some_tenant, sqlite_database
from tests.builders.privacy_stage import DAY_MS, SentDown, Time
from wire_protocol.identifiers import uuid7

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cloud.database.engine import Database
    from cloud.intake.promotion import Promoter
    from cloud.objects.ports import ObjectStore
    from cloud.privacy.ports import KeyVault

TENANT = "gelateria-sole"
READER = Reader("operator:test", "a test")


@dataclass(frozen=True)
class Ticket:
    """What the recommender brings."""

    tenant: str
    request: bytes


def picture() -> NDArray[np.uint8]:
    """Pixels such as a phone's camera gives; the same each time."""
    return np.random.default_rng(7).integers(0, 255, (120, 160, 3), np.uint8)


class WebConsentStage:
    """`database` may be PostgreSQL, `vault` and `objects` may be real ones."""

    def __init__(
        self,
        folder: Path,
        database: Database | None = None,
        vault: KeyVault | None = None,
        objects: ObjectStore | None = None,
        now_ms: int | None = None,
    ) -> None:
        self.time = Time() if now_ms is None else Time(now_ms)
        self.database = sqlite_database(folder) if database is None else database
        self.vault: KeyVault = MemoryKeyVault() if vault is None else vault
        self.objects: ObjectStore = MemoryStore(self.time) if objects is None else objects
        self.config = CloudConfig(
            environment="development", state_dir=folder / "state", master_key=MasterKeyConfig(kind="file")
        )
        if TENANT in self.database.tenants():
            complete_keys(self.database, self.config, TENANT, self.time(), actor="operator:test")
        else:
            create_tenant(self.database, self.config, some_tenant(TENANT), actor="operator:test")
        self.keys = ServiceKeyFolder(self.config.state_dir)
        self.link = SentDown()
        self.records = Records(self.database)
        self.eraser = Eraser(self.records, self.vault, self.objects, self.time)
        self.keeper = Keeper(
            self.records,
            self.vault,
            self.eraser,
            Downlink(self.link, self.consent_key, self.time),
            stock=Stock(blanks=300, days=90),
            clock=self.time,
        )
        self.stock = WebStock(
            WebBlanks(self.database), self.vault, self.consent_key, blanks=20, days=90, clock=self.time
        )
        self.stock.top_up(TENANT)
        self.opener = Opener(self.database, self.vault, self.objects, self.time)

    def consent_key(self, tenant: str) -> Any:
        return self.keys.load(tenant, KeyPurpose.CONSENT)

    def promoter(self, objects: ObjectStore | None = None) -> Promoter:
        """As a process of the recommender has it."""
        return build_promoter(self.config, self.database, objects or self.objects, self.time)

    def recommended(
        self,
        user: bytes = bytes(32),
        *,
        purpose: Purpose = Purpose.RECOMMEND_AND_IMPROVE,
        state: UploadState = UploadState.DONE,
    ) -> Ticket:
        """An upload with its recommendation, as the recommender's result transaction leaves it."""
        now_ms = self.time()
        request = uuid7(now_ms, os.urandom(10)).bytes
        with self.database.tenant(TENANT) as connection:
            consent = None
            if purpose is Purpose.RECOMMEND_AND_IMPROVE:
                notice = notice_for(connection, TENANT, "de")
                consent = agree(connection, TENANT, "de", notice.sha256, now_ms)
            connection.execute(
                insert(uploads).values(
                    tenant=TENANT,
                    request=request,
                    user=user,
                    state=state.value,
                    purpose=purpose.value,
                    content_type="image/jpeg",
                    content_length=1000,
                    sha256=hashlib.sha256(request).digest(),
                    object_key=ObjectPlace(TENANT, request).key,
                    context={},
                    issued_at_ms=now_ms,
                    expires_at_ms=now_ms + 60_000,
                    arrived_at_ms=None if state is UploadState.ISSUED else now_ms,
                    consent=consent,
                )
            )
            if state is UploadState.DONE:
                connection.execute(
                    insert(recommendations).values(
                        tenant=TENANT,
                        request=request,
                        user=user,
                        created_at_ms=now_ms,
                        expires_at_ms=now_ms + 30 * DAY_MS,
                        source="model",
                        slate=[{"flavour": "lemon", "name": "Lemon", "probability": 0.5}],
                        picture_sha256=hashlib.sha256(request).digest(),
                        latency_ms=12.0,
                    )
                )
        return Ticket(TENANT, request)

    # ---- what is there ----

    def blank_of(self, ticket: Ticket) -> bytes | None:
        """The consent that an upload took."""
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = select(uploads.c.blank).where(uploads.c.request == ticket.request)
            return connection.execute(found).scalar()

    def version_of(self, ticket: Ticket) -> str | None:
        """The picture's version, as the recommendation names it."""
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = select(recommendations.c.picture_version).where(
                recommendations.c.request == ticket.request
            )
            return connection.execute(found).scalar()

    def versions(self) -> list[str]:
        """Every version of every frame in the bucket."""
        return [found.version for found in self.objects.versions("frames/")]

    def opened(self, ticket: Ticket) -> bytes:
        """The picture, through the keeper's vault."""
        return self.opener.open(find_frame(self.database, TENANT, ticket.request), READER)

    def count(self, table: Any, *where: Any) -> int:
        """Rows of the chain."""
        with self.database.tenant(TENANT, read_only=True) as connection:
            statement = select(func.count()).select_from(table).where(table.c.tenant == TENANT, *where)
            return int(connection.execute(statement).scalar_one())

    def stored_frames(self) -> int:
        """Rows of frames that are not erased."""
        return self.count(frames, frames.c.erased_at_ms.is_(None))

    def in_stock(self) -> int:
        """Blanks that nobody took."""
        return self.count(web_blanks, web_blanks.c.request.is_(None))

    def set_state(self, state: str) -> None:
        """Of the public API's name."""
        with self.database.tenant(TENANT) as connection:
            connection.execute(update(registers).where(registers.c.tenant == TENANT).values(state=state))

    def close(self) -> None:
        self.database.close()
