"""`topscoop client recommend`."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from api_client.commands.slates import as_lines
from cloud.database.schema import recommendations
from cloud.public_api.problems import PROBLEMS
from tests.builders.client_cli import Shell
from tests.builders.client_stage import ClientStage
from tests.builders.public_api import TENANT


def test_three_flavours_are_printed(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """In words, best first, with the request's id for `outcome`; what is known of the place is sent."""
    stage.log_in()
    words = ("--hour", 15.5, "--weekday", 0, "--temperature", 24, "--shop", "beach")
    status, out, err = shell("recommend", photo, *words)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == f"{photo}: three flavours"
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        ["1", "Pistachio"],
        ["2", "Lemon"],
        ["3", "Hazelnut"],
    ]
    assert "41.0%" in out
    announced = json.loads(stage.asked("POST /v1/uploads")[0].body)
    assert announced["context"] == {"hour": 15.5, "weekday": 0, "temperature_c": 24, "shop": "beach"}


def test_json_is_the_apis_own(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """The document as `GET /v1/recommendations/{request_id}` gives it."""
    stage.log_in()
    found = shell.json("recommend", photo)
    with stage.api.client() as http:
        assert found == http.get(f"/v1/recommendations/{found['request_id']}").json()


def test_best_sellers_are_called_so(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """The customer is told what it is."""
    stage.log_in()
    request_id = shell.json("recommend", photo)["request_id"]
    with stage.api.desk.database.tenant(TENANT) as connection:
        connection.execute(update(recommendations).values(source="bestsellers"))
    with stage.chain() as chain:
        assert any("best-sellers" in line for line in as_lines(chain.answer(request_id)))


def test_a_yes_to_the_notice_is_asked_for(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """The notice is shown; without a yes, and without a person, nothing is sent."""
    stage.log_in()
    keep = ("recommend", photo, "--purpose", "recommend_and_improve", "--language", "en")
    for typed, said in ((None, "--agreed"), ("no\n", "nothing is sent"), ("", "nothing is sent")):
        shell.type(typed)
        status, out, err = shell(*keep)
        assert (status, out) == (2, "")
        assert said in err
    assert stage.asked("POST /v1/uploads") == []
    shell.type("yes\n")
    status, _, err = shell(*keep)
    assert status == 0
    with stage.chain() as chain:
        notice = chain.notice("en")
    assert notice.text.splitlines()[0] in err
    assert json.loads(stage.asked("POST /v1/uploads")[0].body)["consent"]["notice"] == notice.sha256
    shell.type(None)
    assert shell(*keep, "--agreed", notice.sha256)[0] == 0
    status, _, err = shell(*keep, "--agreed", "ab" * 32)
    assert status == 2
    assert notice.sha256 in err


def test_a_yes_without_its_purpose_is_wrong_use(shell: Shell, photo: Path) -> None:
    """Rather than to send a consent that nobody looks at."""
    assert shell("recommend", photo, "--agreed", "ab" * 32)[0] == 2


def test_no_number_is_wrong_use(shell: Shell, photo: Path) -> None:
    """A wait that is none would never end."""
    for option in ("--wait", "--hour", "--temperature"):
        with pytest.raises(SystemExit) as done:
            shell("recommend", photo, option, "nan")
        assert done.value.code == 2


def test_a_refusal_is_a_line_and_a_remedy(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """As the problem document has them; the exit status is 1."""
    kind = PROBLEMS["quota-used-up"]
    stage.log_in()
    answer = httpx.Response(429, json=kind("100 today").document(), headers={"Retry-After": "7000"})
    stage.script("POST /v1/uploads", answer)
    status, out, err = shell("recommend", photo)
    assert (status, out) == (1, "")
    assert err == f"topscoop: error: {kind.title}: 100 today\n  {kind.remedy}\n"


def test_who_is_not_logged_in_is_told_how(shell: Shell, photo: Path) -> None:
    """The very command."""
    status, _, err = shell("recommend", photo)
    assert status == 1
    assert "topscoop client login --chain https://" in err


def test_a_name_is_enough_once_logged_in(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """Where it means one place; before, it asks for the address."""
    status, _, err = shell("recommend", photo, chain=TENANT)
    assert status == 2
    assert "--base-url" in err
    stage.log_in()
    assert shell("recommend", photo, chain=TENANT)[0] == 0
