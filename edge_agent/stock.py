"""What this register sells: the menu that the till stated, over the model in use, kept over restarts."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from daemon.log_fields import fields
from edge_agent.menu import Menu
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import EventSink, Journal
from edge_agent.shelf import Shelf

log = logging.getLogger(__name__)

MENU_SETTING = "menu"
"""The menu's name in the journal."""


class Stock:
    """The shelf of this moment, laid anew whenever the menu or the model has changed.

    Args:
        model_slot: Holds the model, if any.
        journal: Keeps the menu.
        events: Hears of a new menu.
        bestsellers: Ids that are the catalogue while there is no model.
    """

    def __init__(
        self, model_slot: ModelSlot, journal: Journal, events: EventSink, bestsellers: Sequence[str]
    ) -> None:
        self._slot = model_slot
        self._journal = journal
        self._events = events
        self._bestsellers = bestsellers
        self._saving = asyncio.Lock()
        self._former: tuple[str, ...] = ()
        self._ranking = tuple(bestsellers)
        self._shelf = Shelf.lay(model_slot.current, _kept_menu(journal), bestsellers)

    @property
    def shelf(self) -> Shelf:
        """Catalogue, stock and best-sellers of this moment."""
        if self._shelf.model is not self._slot.current:
            self._former = self._shelf.catalogue
            if not self._bestsellers and self._shelf.model is not None:
                # A model that is taken away leaves what the shop sells, most sold first.
                self._ranking = self._shelf.model.manifest.bestsellers
            self._lay(self._shelf.menu)
        return self._shelf

    @property
    def sellable(self) -> tuple[str, ...]:
        """Every id that a sale may name: a customer may buy what the model before the newest one offered.

        Empty while there is no model, as nobody here then knows what the shop sells beside its best-sellers.
        """
        shelf = self.shelf
        return () if shelf.model is None else shelf.catalogue + self._former

    async def change(self, in_stock: Iterable[str], version: int | None) -> Menu:
        """Take over what the till says is in stock; in effect at once, and durable on return.

        Raises:
            UnknownFlavourError: An id is not in the catalogue; nothing changed.
            ConflictError: The version is older than the menu in effect; nothing changed.
            BadRequestError: More ids than a catalogue can have; nothing changed.
            JournalError: The disk refused: the menu is in effect but would be lost at a restart.
        """
        shelf = self.shelf
        menu = shelf.menu.change(in_stock, () if shelf.model is None else shelf.catalogue, version)
        self._lay(menu)
        offered = self._shelf.in_stock
        self._events.publish("menu", {"version": menu.version, "in_stock": offered, "empty": not offered})
        async with self._saving:
            # The newest, which another call may have set meanwhile.
            await asyncio.to_thread(self._journal.save_setting, MENU_SETTING, self._shelf.menu.to_json())
        return menu

    def _lay(self, menu: Menu) -> None:
        self._shelf = Shelf.lay(self._slot.current, menu, self._ranking)


def _kept_menu(journal: Journal) -> Menu:
    """The menu of the last run; everything in stock where there is none or it cannot be read."""
    kept = journal.setting(MENU_SETTING)
    if kept is None:
        return Menu()
    try:
        return Menu.from_json(kept)
    except ValueError as error:
        log.warning("menu.unreadable", extra=fields(error=str(error), remedy="Send the menu again."))
        return Menu()
