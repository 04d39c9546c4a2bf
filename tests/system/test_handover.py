"""A yes on a phone, nothing played: register, broker, collector, keeper, S3; and the yes taken back."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from cloud.clock import now_ms
from cloud.database import schema
from tests.builders.public_api import stage_over
from tests.builders.tiny_model import build_model_dir
from tests.builders.whole_cloud import WholeCloud
from tests.builders.whole_register import Camera, WholeRegister, painted, ring_path, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.public_api import ApiStage

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

TENANT = "gelateria-sole"


class Phone:
    """Anna's phone, logged in at the chain's API over the cloud's own database."""

    def __init__(self, api: ApiStage) -> None:
        self._api = api
        self._client: TestClient | None = None

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        self._api.clock[0] = now_ms()
        if self._client is None:
            self._client = self._api.client("anna", tenant=TENANT)
        return self._client.request(method, path, **options)


def test_a_yes_on_a_phone_seals_the_picture_that_waits(tmp_path: Path, real_s3: CephS3) -> None:
    """The register shows a code; the phone says yes to its text; that picture is stored; taken back, it goes.

    T25: the withdrawal erases key and versions. T26: without a yes the second customer's picture is nowhere.
    """
    with ExitStack() as stack:
        cloud = stack.enter_context(WholeCloud(tmp_path / "cloud", real_s3))
        cloud.command("tenant", "add", TENANT)
        ring = ring_path()
        stack.enter_context(Camera(ring, painted(b"a picture of a customer ")))
        model = build_model_dir(tmp_path / "model", tenant=TENANT, golden=False)
        address = "https://{tenant}.api.example"
        register = WholeRegister(
            tmp_path / "till",
            TENANT,
            "till-1",
            model,
            f"synthetic:{ring}",
            handover=True,
            handover_url=address,
        )
        register.enrol(cloud.enrol_url, cloud.add_register(TENANT, "till-1"))
        stack.enter_context(register)
        wait_for(lambda: "link.connected" in register.new_events(), "it is connected")
        phone = Phone(stage_over(cloud.database(), tmp_path / "api"))

        interaction, path = scanned(register, address)
        scanned(register, address)  # another customer, who goes
        wait_for(lambda: phone("GET", path).status_code == 200, "the register's notices have come")
        notice = phone("GET", path, params={"language": "de"}).json()["notice"]
        with register.client() as till:
            shown = till.get("/v1/notice", params={"language": "de"}).json()
        assert (notice["text"], notice["sha256"]) == (shown["text"], shown["sha256"])
        said = {"granted": True, "purposes": notice["purposes"]}
        said |= {"notice_sha256": notice["sha256"], "language": notice["language"]}
        answer = phone("POST", path, json=said)
        assert answer.status_code == 201, answer.text
        wait_for(lambda: phone("GET", path).json()["state"] == "kept", "its consent has come")
        wait_for(lambda: register.lanes()["frames"]["stored"] == 1, "its picture is stored")

        (frame,) = cloud.rows(schema.frames, TENANT)
        (consent,) = cloud.rows(schema.consents, TENANT)
        assert frame.interaction == consent.interaction == interaction.bytes
        assert (consent.method, consent.language) == ("phone", "de")
        assert consent.notice.hex() == notice["sha256"]
        assert len(cloud.versions(f"frames/{TENANT}/")) == 1
        exported = cloud.command(
            "frames", "export", "--tenant", TENANT, "--to", str(tmp_path / "opened"), "--purpose", "test"
        )
        assert exported["refused"] == {}

        assert phone("DELETE", f"/v1/handovers/{answer.json()['handover_id']}").status_code == 204
        wait_for(lambda: bool(cloud.rows(schema.withdrawals, TENANT)), "it is written down")
        (withdrawal,) = cloud.rows(schema.withdrawals, TENANT)
        assert (withdrawal.consent, withdrawal.source) == (consent.consent, "customer")
        wait_for(lambda: cloud.versions(f"frames/{TENANT}/") == [], "every version is gone")


def scanned(register: WholeRegister, address: str) -> tuple[uuid.UUID, str]:
    """A customer stands there; where the code on the display leads."""
    with register.client() as till:
        opened = till.post("/v1/interactions").raise_for_status().json()
        where = f"/v1/interactions/{opened['interaction_id']}/handover"
        wait_for(lambda: till.get(where).status_code == 200, "there is a code")
        shown = till.get(where).json()
    base, _, code = shown["url"].rpartition("/c/")
    assert base == address.replace("{tenant}", TENANT)
    return uuid.UUID(opened["interaction_id"]), f"/v1/handovers/{code}"
