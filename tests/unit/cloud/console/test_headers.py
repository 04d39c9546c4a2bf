"""What every answer tells the browser."""

import pytest

from cloud.console.headers import BODY_MAX_BYTES
from tests.builders.console_stage import ConsoleStage, build_stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    return build_stage(tmp_path_factory.mktemp("console"))


@pytest.mark.parametrize("path", ["/login", "/fleet", "/nothing", "/fleet.csv", "/releases/x"])
def test_nothing_is_framed_sniffed_cached_or_run_inline(stage: ConsoleStage, path: str) -> None:
    """T24: clickjacking and injected scripts find every door closed, on pages that fail, too."""
    headers = stage.client().get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "max-age" in headers["strict-transport-security"]


def test_static_files_are_kept_for_ever_under_a_name_that_changes_with_them(stage: ConsoleStage) -> None:
    client = stage.client(None)
    page = client.get("/login").text
    path = page.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
    answer = client.get(path)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    digest = path.split("/")[2]
    assert client.get(path.replace(digest, "0" * 16)).status_code == 404
    assert client.get(f"/static/{digest}/%2e%2e/app.py").status_code == 404


def test_it_answers_under_its_own_name_only(stage: ConsoleStage) -> None:
    """T24: a page whose name was rebound to this address is told nothing."""
    answer = stage.client().get("/fleet", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "register" not in answer.text


def test_larger_than_any_form_is_refused_unread(stage: ConsoleStage) -> None:
    client = stage.client()
    own = {"origin": stage.desk.origin}
    assert client.post("/theme", content=b"x" * (BODY_MAX_BYTES + 1), headers=own).status_code == 413
    assert client.post("/theme", content=iter([b"x"]), headers=own).status_code == 411
