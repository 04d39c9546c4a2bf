"""A shadow at work: one picture at a time, on a thread that yields to everything else, never shown."""

import asyncio
import logging
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from daemon.log_fields import fields
from edge_agent.ports import Frame, Model
from edge_agent.shelf import Shelf
from edge_agent.updates.shadow import Comparison
from inference import Context, InferenceError, Recommendation

log = logging.getLogger(__name__)


class Shadow:
    """A loaded release that runs beside the one in use.

    Args:
        release: Its number.
        model: Its network; called by the executor's one thread only.
        executor: One thread that yields to requests.
    """

    def __init__(self, release: int, model: Model, executor: Executor) -> None:
        self.comparison = Comparison(release, model.digest)
        self._model = model
        self._executor = executor
        self._busy = False

    def offer(self, frame: Frame, context: Context, shelf: Shelf, shown: tuple[str, ...]) -> None:
        """Compare on this picture, unless it still looks at another: the queue has one place."""
        if self._busy:
            return
        self._busy = True
        mask = shelf.menu.mask(tuple(one.id for one in self._model.manifest.flavours))
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, self._ask, frame, context, mask)
        work.add_done_callback(lambda done: self._answered(done, shown))

    def _ask(
        self, frame: Frame, context: Context, mask: NDArray[np.bool_]
    ) -> Recommendation | InferenceError:
        try:
            return self._model.recommend(frame.pixels, context, mask)
        except InferenceError as error:
            return error

    def _answered(
        self, done: "asyncio.Future[Recommendation | InferenceError]", shown: tuple[str, ...]
    ) -> None:
        self._busy = False
        if done.cancelled():
            return
        answer = done.result()
        if isinstance(answer, InferenceError):
            self.comparison.failed()
            log.debug("shadow.failed", extra=fields(error=str(answer)))
            return
        flavours = self._model.manifest.flavours
        three = tuple(flavours[index].id for index in answer.top3 if index >= 0)
        self.comparison.compare(shown, three, answer.total_ms)
