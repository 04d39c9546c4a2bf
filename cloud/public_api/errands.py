"""Questions to identity providers: each chain asks a few at a time, and holds no place while it waits.

A provider may take seconds to answer, or never do; the other chains' requests go on meanwhile.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from cloud.public_api.answers import Places
from cloud.public_api.problems import problem
from cloud.public_api.turnstile import Place

ERRANDS_MAX: Final = 32
"""At once, of all chains; each holds a thread."""
OF_ONE_CHAIN_MAX: Final = 8
_EVERYBODY: Final = b""

Done = TypeVar("Done")


class Errands:
    """Of one process; its threads are its own, so that nothing else waits for one of them."""

    def __init__(self) -> None:
        self._places = Places(ERRANDS_MAX, OF_ONE_CHAIN_MAX)
        self._threads = ThreadPoolExecutor(ERRANDS_MAX, thread_name_prefix="errand")

    async def run(self, place: Place, tenant: str, work: Callable[[], Done]) -> Done:
        """What `work` returns, which may ask a provider of this chain.

        Args:
            place: Of the request; it is left.
            tenant: The chain.
            work: Runs in a thread.

        Raises:
            Problem: `too-many-requests`: too many of this chain's logins wait for its providers.
        """
        chain = (tenant, _EVERYBODY)
        if not self._places.take(chain):
            raise problem(
                "too-many-requests", "the identity provider is slow to answer", headers={"Retry-After": "5"}
            )

        def working() -> Done:
            # The thread itself says when it is free: its client may have gone long before.
            try:
                return work()
            finally:
                self._places.give_back(chain)

        place.leave()
        return await asyncio.get_running_loop().run_in_executor(self._threads, working)
