"""The menu over HTTP."""

from tests.builders.local_api import LocalApi


def test_the_menu_lists_the_catalogue_with_names_and_colours(still_api: LocalApi) -> None:
    """All that the display needs to speak every language."""
    menu = still_api.stranger.get("/v1/menu").json()
    assert menu["version"] == 0
    assert len(menu["flavours"]) == len(menu["in_stock"]) == 16
    mango = next(flavour for flavour in menu["flavours"] if flavour["id"] == "mango")
    assert mango == {
        "id": "mango",
        "names": {"en": "Mango", "de": "Mango", "it": "Mango"},
        "colour": "#ff9a1f",
        "in_stock": True,
    }


def test_a_new_menu_is_in_effect_at_once(api: LocalApi) -> None:
    """What is sold out is not recommended."""
    answer = api.client.put("/v1/menu", json={"in_stock": ["mint", "lemon"], "version": 7})
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["in_stock"]) == (7, ["lemon", "mint"])
    offered = {offer["flavour"] for offer in api.client.post("/v1/interactions").json()["top3"]}
    assert offered == {"mint", "lemon"}


def test_an_empty_menu_is_allowed(api: LocalApi) -> None:
    """Sold out: the slate is empty and says why."""
    assert api.client.put("/v1/menu", json={"in_stock": []}).status_code == 200
    body = api.client.post("/v1/interactions").json()
    assert (body["top3"], body["reason"]) == ([], "nothing-in-stock")


def test_an_unknown_flavour_is_named_and_the_nearest_one_offered(still_api: LocalApi) -> None:
    """The menu before stays."""
    answer = still_api.client.put("/v1/menu", json={"in_stock": ["mangoo"]})
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("unknown-flavour")
    assert "mangoo" in answer.json()["detail"]
    assert "'mango'" in answer.json()["remedy"]
    assert still_api.client.get("/v1/menu").json()["version"] == 0


def test_an_older_version_is_a_conflict(api: LocalApi) -> None:
    """A late message does not bring back what is sold out."""
    api.client.put("/v1/menu", json={"in_stock": ["mint"], "version": 7})
    answer = api.client.put("/v1/menu", json={"in_stock": ["mango"], "version": 6})
    assert answer.status_code == 409
