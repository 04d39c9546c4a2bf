from pathlib import Path

import pytest

from edge_agent.errors import JournalError, UnknownFlavourError
from edge_agent.memory_journal import MemoryJournal
from edge_agent.model_slot import ModelSlot
from edge_agent.stock import MENU_SETTING, Stock
from inference import FlavourModel
from tests.builders.records import StandingClock, seeded_randomness
from tests.builders.register import EventList
from tests.builders.tiny_model import build_model_dir


class Shop:
    """A stock with all that it needs."""

    def __init__(self, bestsellers: tuple[str, ...] = ()) -> None:
        self.slot = ModelSlot(FlavourModel.load, tenant="gelateria-sole")
        self.journal = MemoryJournal(StandingClock(), seeded_randomness(1))
        self.events = EventList()
        self.stock = Stock(self.slot, self.journal, self.events, bestsellers)

    def use(self, directory: Path) -> None:
        self.slot.put(self.slot.load(directory), directory)

    def restarted(self) -> Stock:
        return Stock(self.slot, self.journal, self.events, ())


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("large"), golden=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("small"), flavours=4, golden=False)


@pytest.fixture
def shop(large: Path) -> Shop:
    shop = Shop()
    shop.use(large)
    return shop


async def test_a_menu_is_in_effect_told_and_kept(shop: Shop) -> None:
    menu = await shop.stock.change(["mango", "vanilla"], 7)
    assert menu.version == 7
    assert shop.stock.shelf.in_stock == ("vanilla", "mango")
    assert shop.events.heard == [("menu", {"version": 7, "in_stock": ("vanilla", "mango"), "empty": False})]
    assert shop.restarted().shelf.menu == menu


def test_an_unreadable_kept_menu_means_that_everything_is_there(shop: Shop) -> None:
    shop.journal.save_setting(MENU_SETTING, "{")
    assert len(shop.restarted().shelf.in_stock) == 16


async def test_an_unknown_flavour_changes_nothing(shop: Shop) -> None:
    with pytest.raises(UnknownFlavourError, match="unknown flavour 'manga'"):
        await shop.stock.change(["mango", "manga"], None)
    assert shop.stock.shelf.menu.version == 0
    assert shop.events.heard == []


async def test_a_menu_that_the_disk_refuses_is_in_effect(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Selling what is not there would be worse than forgetting it at a restart; the till is told."""

    def refuse(name: str, value: str) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(shop.journal, "save_setting", refuse)
    with pytest.raises(JournalError):
        await shop.stock.change(["mango"], None)
    assert shop.stock.shelf.in_stock == ("mango",)


async def test_another_model_gets_the_same_menu_at_once(shop: Shop, small: Path) -> None:
    """Ids of the menu that the new catalogue lacks wait for a model that knows them."""
    await shop.stock.change(["mango", "vanilla"], None)
    shop.use(small)
    assert shop.stock.shelf.in_stock == ("vanilla",)
    assert len(shop.stock.shelf.mask) == 4
    assert shop.stock.shelf.menu.in_stock == {"mango", "vanilla"}


def test_a_sale_may_name_what_the_model_before_knew(shop: Shop, small: Path) -> None:
    assert "cherry" in shop.stock.sellable
    shop.use(small)
    assert set(shop.stock.sellable) >= {"vanilla", "mango", "cherry"}
    shop.use(small)
    assert "cherry" not in shop.stock.sellable, "two models ago is long ago"


async def test_without_a_model_any_well_formed_id_is_taken(large: Path) -> None:
    """The configured best-sellers are what is shown; what else the shop has, nobody here knows."""
    shop = Shop(bestsellers=("vanilla",))
    assert shop.stock.sellable == ()
    await shop.stock.change(["vanilla", "mango"], None)
    assert shop.stock.shelf.in_stock == ("vanilla",)
    with pytest.raises(UnknownFlavourError):
        await shop.stock.change(["Vanilla!"], None)
    shop.use(large)
    assert shop.stock.shelf.in_stock == ("vanilla", "mango")
