"""A register that has shown a code, the API that its customer's phone talks to, and the keeper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from cloud.database.schema import handovers
from cloud.privacy.adapters.handover_rows import HandoverRows
from cloud.privacy.downlink import Downlink
from cloud.privacy.handover_keeper import HandoverKeeper
from cloud.privacy.person_care import PersonCare
from tests.builders.cloud_database import add_tenants
from tests.builders.privacy_stage import Stage
from tests.builders.public_api import stage_over
from tests.builders.wire_messages import (
    CONSENT_KEY,
    HANDOVER,
    HANDOVER_CODE,
    IDENTITY,
    REGISTER_KEY,
    TENANT,
)
from wire_protocol.handover import make_code
from wire_protocol.notices import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from cloud.database.engine import Database
    from wire_protocol.keys import SigningKey

OTHER: Final = "eisdiele-nord"
ENGLISH: Final = Notice("en", "May we keep this picture?\nOnly with a yes.", ("training", "evaluation"), 365)
GERMAN: Final = Notice("de", "Dürfen wir dieses Bild behalten?", ("training", "evaluation"), 365)
YES: Final[dict[str, Any]] = {
    "granted": True,
    "purposes": ["training"],
    "notice_sha256": ENGLISH.sha256.hex(),
    "language": "en",
}
PATH: Final = f"/v1/handovers/{HANDOVER_CODE}"


class HandoverShop:
    """Five seconds after the code of the examples was shown."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.stage = stage = Stage(folder, database=database)
        add_tenants(stage.database, OTHER)
        self.api = stage_over(stage.database, folder)
        self.rows = HandoverRows(stage.database)
        downlink = Downlink(stage.link, lambda _: CONSENT_KEY, stage.time)
        self.keeper = HandoverKeeper(self.rows, downlink, stage.time)
        self.care = PersonCare(stage.database, stage.objects, stage.time)
        self.now(HANDOVER.issued_at_ms + 5_000)
        for notice in (ENGLISH, GERMAN):
            self.rows.keep_notice(IDENTITY, notice, stage.time())

    def now(self, at_ms: int) -> None:
        self.stage.time.now_ms = at_ms
        self.api.clock[0] = at_ms

    def later(self, by_ms: int) -> None:
        self.now(self.stage.time() + by_ms)

    def phone(self, name: str = "anna", tenant: str = TENANT) -> TestClient:
        return self.api.client(name, tenant=tenant)

    def state(self, phone: TestClient) -> str:
        answer = phone.get(PATH)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def given(self) -> int:
        with self.stage.database.tenant(TENANT, read_only=True) as connection:
            return int(connection.execute(select(func.count()).select_from(handovers)).scalar_one())

    def close(self) -> None:
        self.stage.close()


def code(key: SigningKey = REGISTER_KEY, tenant: str = TENANT, **fields: Any) -> str:
    """The code of the examples, but for what is said."""
    return make_code(replace(HANDOVER, **fields), tenant, key)
