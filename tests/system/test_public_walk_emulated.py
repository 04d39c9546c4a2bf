"""A phone's whole way in one process over imitations: quick, and worth nothing for security."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders.collector_stack import wait_for
from tests.builders.emulated_cloud import emulated_cloud
from tests.builders.walking_phone import WalkingPhone, phone_browser

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.service,
    # The imitation of a login uses a part of Authlib that is going away; not ours to mend.
    pytest.mark.filterwarnings(r"ignore:.*will be removed in version 1\.8:DeprecationWarning"),
]

WITHIN_S = 60


def test_a_phone_goes_the_whole_way_over_imitations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Login without a password, PUT to moto, its event by SQS, three flavours; kept sealed; erased."""
    monkeypatch.setattr("cloud.intake.adapters.sqs_events.WAIT_S", 1)  # the test's end waits for it
    with emulated_cloud(tmp_path) as cloud, phone_browser() as browser:
        phone = WalkingPhone(browser, cloud.url)
        phone.open()
        phone.log_in_without_password("walker")
        # Only the event tells of the picture: the page's own word is lost.
        phone.page.route("**/complete", lambda route: route.fulfill(json={}))
        phone.take_picture()
        phone.send(improve=False)
        assert len(set(phone.names())) == 3
        wait_for(lambda: cloud.uploads() == 0, "the picture is gone", WITHIN_S)
        assert cloud.versions() == []
        phone.another()
        phone.take_picture()
        phone.send(improve=True)
        assert len(set(phone.names())) == 3
        wait_for(lambda: cloud.uploads() == 0, "it is kept elsewhere", WITHIN_S)
        assert len(cloud.versions()) == 1
        assert cloud.heard("sqs") == 2
        proof = phone.erase_everything()
        cloud.keep()
        assert phone.asks(f"/v1/erasures/{proof}")["state"] == "done"
        assert cloud.versions() == []
        assert phone.complaints == []
        phone.close()
