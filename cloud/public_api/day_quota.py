"""A chain's uploads of a day, counted in blocks: they do not stand in line for the one row that counts them.

A process takes a block from the database and gives out of it. One that is killed takes the rest of its blocks
along, so a large quota may end a few uploads early; it is never exceeded. Small quotas are counted singly.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from cloud.database.engine import Database
from cloud.public_api.adapters.api_limits import count_uploads

BLOCK_MAX: Final = 32
SHARE: Final = 1000
"""A block is at most this part of the day's quota."""
_TENANTS_MAX: Final = 10_000


@dataclass(slots=True)
class _Block:
    day: str = ""
    left: int = 0
    bytes: int = 0
    """Of uploads that were given out and stand in no row yet."""


class DayQuota:
    """The blocks of this process; any thread may use it.

    Args:
        database: Where the days are counted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._blocks: OrderedDict[str, tuple[threading.Lock, _Block]] = OrderedDict()

    def take(self, tenant: str, day: str, length: int, per_day: int) -> bool:
        """Count one upload; False where the day's are used up.

        Args:
            tenant: Whose.
            day: In UTC, such as `2026-11-23`.
            length: Bytes of the picture.
            per_day: How many the chain may have.

        Raises:
            DatabaseAway: Nothing was counted.
        """
        lock, block = self._of(tenant)
        with lock:
            if block.day != day:
                self._end(tenant, block)
                block.day = day
            if not block.left and not self._fetch(tenant, block, per_day):
                return False
            block.left -= 1
            block.bytes += length
            return True

    def give_back(self, tenant: str, day: str, length: int) -> None:
        """An upload that was counted did not come to be."""
        lock, block = self._of(tenant)
        with lock:
            if block.day == day:
                block.left += 1
                block.bytes -= length

    def close(self) -> None:
        """Write down what was really used. Raises DatabaseAway."""
        with self._lock:
            blocks = list(self._blocks.items())
        for tenant, (lock, block) in blocks:
            with lock:
                self._end(tenant, block)

    def _of(self, tenant: str) -> tuple[threading.Lock, _Block]:
        with self._lock:
            found = self._blocks.get(tenant)
            if found is None:
                found = self._blocks[tenant] = (threading.Lock(), _Block())
                if len(self._blocks) > _TENANTS_MAX:
                    self._blocks.popitem(last=False)
            self._blocks.move_to_end(tenant)
            return found

    def _fetch(self, tenant: str, block: _Block, per_day: int) -> bool:
        for number in dict.fromkeys((max(1, min(BLOCK_MAX, per_day // SHARE)), 1)):
            with self._database.tenant(tenant) as connection:
                if count_uploads(connection, tenant, block.day, number, block.bytes, per_day=per_day):
                    block.left, block.bytes = number, 0
                    return True
        return False

    def _end(self, tenant: str, block: _Block) -> None:
        if block.left or block.bytes:
            with self._database.tenant(tenant) as connection:
                count_uploads(connection, tenant, block.day, -block.left, block.bytes, per_day=None)
            block.left = block.bytes = 0
