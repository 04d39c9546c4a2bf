"""The shells, in every language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from cloud.public_api.app import build_routes
from cloud.public_api.pages import rendering
from cloud.public_api.pages.languages import LANGUAGES
from cloud.public_api.pages.rendering import TEXTS, Issuer, show
from tests.builders.public_api import TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    pass

HOSTILE = '"><script>alert(1)</script>'
ISSUERS = [Issuer("/login/0", HOSTILE)]
PAGES: list[tuple[str, dict[str, Any]]] = [
    ("try.html", {"issuers": ISSUERS, "csrf": None}),
    ("try.html", {"issuers": [], "csrf": "token"}),
    ("handover.html", {"issuers": ISSUERS, "csrf": None, "code": HOSTILE}),
    ("login.html", {"issuers": ISSUERS, "goal": f"/c/{HOSTILE}"}),
    ("login.html", {"issuers": [], "goal": "/try"}),
    *(
        ("device.html", {"step": step, "code": HOSTILE, "csrf": "token", "wrong": wrong})
        for step, wrong in (
            ("type", False),
            ("type", True),
            ("confirm", False),
            ("done", False),
            ("denied", False),
        )
    ),
    *(
        ("failure.html", {"failure": one, "status": 400})
        for one in ("missing", "chain", "login", "provider", "busy", "refused", "broken")
    ),
]
_FILES = [
    *sorted((rendering._HERE / "templates").glob("*.html")),
    *sorted((rendering._HERE.parent / "static").glob("*.js")),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ApiStage:
    return build_stage(tmp_path_factory.mktemp("pages"))


def page(
    stage: ApiStage, template: str, values: dict[str, Any], language: str = "en", query: str = ""
) -> Any:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/try",
        "query_string": query.encode(),
        "headers": [(b"accept-language", language.encode())],
        "app": build_routes(stage.desk),
        "state": {"tenant": TENANT},
    }
    return show(Request(scope), template, **values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    """The same keys, the same values to be filled in, and nothing empty."""
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    for key, text in TEXTS[language].items():
        values = re.findall(r"\{(\w+)\}", TEXTS["en"][key])
        assert text.strip(), key
        assert sorted(re.findall(r"\{(\w+)\}", text)) == sorted(values), key


def test_every_text_is_used_and_every_used_one_is_there() -> None:
    """No page can ask for a text that is not there, and none is translated for nobody."""
    told = "\n".join(file.read_text("utf-8") for file in _FILES)
    words = set(re.findall(r"[a-z]+(?:_[a-z]+)*", told))
    families = {
        *(
            f"trouble_{name}_{end}"
            for name in re.findall(r"^  (\w+): \[", told, re.MULTILINE)
            for end in ("title", "text")
        ),
        *(
            f"failure_{values['failure']}_{end}"
            for name, values in PAGES
            if "failure" in values
            for end in ("title", "text")
        ),
        *(f"{kind}_{end}" for kind in ("result", "bestsellers", "nothing") for end in ("title", "text")),
        *(f"handover_{name}_{end}" for name in ("refused", "withdrawn", "over") for end in ("title", "text")),
        *(f"device_{name}_text" for name in ("done", "denied")),
        "name_of_language",
    }
    assert families - {"trouble_over_title", "trouble_over_text"} <= TEXTS["en"].keys()
    unused = {key for key in TEXTS["en"] if key not in words | families}
    assert unused == set()
    named = set(re.findall(r'(?:words|say|text)\((?:[^"()]+(?:\([^()]*\))?, )?"([a-z_]+[a-z])"', told))
    named |= set(re.findall(r'data-(?:text|label)="([a-z_]+[a-z])"', told))
    assert named <= TEXTS["en"].keys()
    assert len(named) > 80, "the expressions still find them"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_shows_a_key(stage: ApiStage, language: str) -> None:
    """What people read is words, in the language that the page says it is in."""
    for template, values in PAGES:
        html = page(stage, template, values, language).body.decode()
        assert f'<html lang="{language}">' in html
        read = re.sub(r"<[^>]*>", " ", html)
        assert not re.search(r"[a-z]_[a-z]", read), template
        assert "{" not in read, template


def test_what_others_wrote_is_text(stage: ApiStage) -> None:
    """T24: a provider or a code called like a script is inert, in text, attribute and address."""
    for template, values in PAGES:
        assert "<script>" not in page(stage, template, values).body.decode()


def test_the_choice_is_kept_for_who_has_no_scripts(stage: ApiStage) -> None:
    """`?language=` answers in it and keeps it; a page that was not asked so sets no cookie."""
    template, values = PAGES[0]
    asked = page(stage, template, values, "de", "language=fr")
    assert asked.headers["content-language"] == "fr"
    assert "topscoop-language=fr" in asked.headers["set-cookie"]
    assert "set-cookie" not in page(stage, template, values, "de").headers
