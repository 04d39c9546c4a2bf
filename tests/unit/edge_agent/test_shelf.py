import pytest

from edge_agent.impression import Offer, Reason
from edge_agent.menu import Menu
from edge_agent.shelf import Shelf
from inference import FlavourModel
from tests.builders.tiny_model import build_model_dir


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FlavourModel:
    return FlavourModel.load(build_model_dir(tmp_path_factory.mktemp("model"), flavours=8, golden=False))


def test_a_menu_is_laid_over_the_models_catalogue(model: FlavourModel) -> None:
    """What the model does not know is left out, whatever the till says."""
    menu = Menu().change(["mango", "lemon", "chocolate", "unheard-of"], ())
    shelf = Shelf.lay(model, menu, ())
    assert shelf.in_stock == ("chocolate", "lemon", "mango")
    assert shelf.available == (1, 4, 6)
    assert shelf.mask.tolist() == [False, True, False, False, True, False, True, False]
    assert shelf.bestsellers == ("chocolate", "lemon", "mango")
    assert shelf.empty_because is None


def test_names_are_in_the_asked_language_or_in_english(model: FlavourModel) -> None:
    shelf = Shelf.lay(model, Menu(), ())
    assert shelf.offer("lemon", "it", 0.5) == Offer("lemon", "Limone", 0.5)
    assert shelf.offer("lemon", "fr", None) == Offer("lemon", "Lemon", None)
    with pytest.raises(KeyError):
        shelf.offer("cherry", "en", None)


def test_without_a_model_the_configured_bestsellers_are_all_there_is() -> None:
    shelf = Shelf.lay(None, Menu(), ("mint", "dark-chocolate"))
    assert shelf.catalogue == shelf.bestsellers == ("mint", "dark-chocolate")
    assert shelf.offer("dark-chocolate", "de", None).name == "Dark chocolate"


def test_an_empty_shelf_says_why(model: FlavourModel) -> None:
    empty = Menu().change([], ())
    assert Shelf.lay(model, empty, ()).empty_because is Reason.NOTHING_IN_STOCK
    assert Shelf.lay(None, empty, ("mint",)).empty_because is Reason.NOTHING_IN_STOCK
    assert Shelf.lay(None, Menu(), ()).empty_because is Reason.NO_CATALOGUE
