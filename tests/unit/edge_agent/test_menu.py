import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.errors import BadRequestError, ConflictError, UnknownFlavourError
from edge_agent.menu import MAX_VERSION, Menu

CATALOGUE = ("vanilla", "mango", "pistachio", "lemon")


def test_a_menu_that_nobody_set_has_everything() -> None:
    menu = Menu()
    assert menu.available(CATALOGUE) == CATALOGUE
    assert menu.mask(CATALOGUE).tolist() == [True] * 4
    assert menu.version == 0


def test_the_mask_is_in_the_catalogues_order() -> None:
    menu = Menu().change(["lemon", "vanilla"], CATALOGUE)
    assert menu.available(CATALOGUE) == ("vanilla", "lemon")
    assert menu.mask(CATALOGUE).tolist() == [True, False, False, True]


def test_an_empty_menu_is_a_menu() -> None:
    menu = Menu().change([], CATALOGUE)
    assert menu.available(CATALOGUE) == ()
    assert not menu.mask(CATALOGUE).any()


def test_an_unknown_flavour_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownFlavourError, match="unknown flavour 'pistacio'") as refusal:
        Menu().change(["vanilla", "pistacio"], CATALOGUE)
    assert "Did you mean 'pistachio'?" in refusal.value.remedy


def test_without_a_catalogue_only_the_form_is_checked() -> None:
    """A till that starts before the first model may say what it has."""
    assert Menu().change(["anything-goes"], ()).in_stock == {"anything-goes"}
    with pytest.raises(UnknownFlavourError):
        Menu().change(["Not An Id"], ())


def test_versions_count_on_by_themselves() -> None:
    menu = Menu().change(["mango"], CATALOGUE).change(["lemon"], CATALOGUE)
    assert menu.version == 2


def test_the_tills_own_version_is_taken_over_and_never_goes_back() -> None:
    menu = Menu().change(["mango"], CATALOGUE, 41)
    assert menu.version == 41
    assert menu.change(["mango"], CATALOGUE, 41) == menu
    for late, flavours in ((40, ["mango"]), (41, ["lemon"])):
        with pytest.raises(ConflictError, match="comes too late: version 41 is in effect"):
            menu.change(flavours, CATALOGUE, late)


@pytest.mark.parametrize("version", [0, -1, MAX_VERSION + 1])
def test_an_impossible_version_is_refused(version: int) -> None:
    with pytest.raises(BadRequestError, match="is not between 1 and"):
        Menu().change(["mango"], CATALOGUE, version)


def test_an_endless_menu_is_refused() -> None:
    with pytest.raises(BadRequestError, match="at most 256"):
        Menu().change((f"f{number}" for number in range(257)), CATALOGUE)


@given(st.integers(0, MAX_VERSION), st.none() | st.frozensets(st.sampled_from(CATALOGUE)))
def test_a_kept_menu_comes_back(version: int, in_stock: frozenset[str] | None) -> None:
    menu = Menu(version, in_stock)
    assert Menu.from_json(menu.to_json()) == menu


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "in_stock": [3]}', "null"])
def test_something_else_is_no_kept_menu(text: str) -> None:
    with pytest.raises(ValueError):
        Menu.from_json(text)
