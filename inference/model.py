"""Frame in, three flavours out: the one implementation that till, cloud and evaluation share."""

import math
import threading
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inference.context import Context, encode_into
from inference.errors import BrokenAnswer, ModelInUse, StockError
from inference.frame import CAMERA_HEIGHT, CAMERA_WIDTH, fit_frame
from inference.loading import ORT_ERRORS, LoadedModel, load
from inference.manifest import SLATE, Manifest
from inference.recommendation import Recommendation

_NS_PER_MS = 1e6
_NOTHING_KNOWN = Context()
_MODEL_REMEDY = "Go back to the previous model and report this one; show best-sellers meanwhile."


class FlavourModel:
    """A loaded model with all its buffers; made by `load`.

    Not for several threads at once: its buffers are bound to the session for good, so that a recommendation
    allocates nothing but its answer. A second concurrent call raises `ModelInUse`.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.manifest: Manifest = loaded.manifest
        self._features = loaded.manifest.context
        self._size = size = loaded.manifest.frame.size
        self._flavours = flavours = len(loaded.manifest.flavours)
        self._frame = np.zeros((size, size, 3), np.uint8)
        self._context = np.zeros(loaded.manifest.context_length, np.float32)
        self._in_stock = np.ones(flavours, np.bool_)
        self._top3 = np.full(SLATE, -1, np.int64)
        self._probability = np.zeros(SLATE, np.float32)
        self._scores = np.zeros(flavours, np.float32)
        self._nobody = np.zeros(1, np.float32)
        self._empty = np.zeros((CAMERA_HEIGHT, CAMERA_WIDTH, 3), np.uint8)
        self._busy = threading.Lock()
        self._session = loaded.session
        self._binding = loaded.session.io_binding()
        self._bind_input("frame", self._frame)
        self._bind_input("context", self._context)
        self._bind_input("in_stock", self._in_stock)
        self._bind_output("top3", self._top3, (1, SLATE))
        self._bind_output("probability", self._probability, (1, SLATE))
        self._bind_output("scores", self._scores, (1, flavours))
        self._bind_output("nobody", self._nobody, (1,))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Load and check the model in `directory`.

        Raises:
            ModelError: One of `ModelFileMissing`, `ManifestError`, `DigestMismatch`, `NotAModel` and
                `WrongContract`.
        """
        return cls(load(directory))

    @property
    def digest(self) -> str:
        """SHA-256 of the network, in hex: the model's identity."""
        return self.manifest.model.sha256

    def warm_up(self) -> None:
        """Go the whole way once on an empty picture, so that code and weights are cached when a frame comes.

        Half of a cold recommendation's time is outside the network: to run the network alone is not enough.

        Raises:
            ModelError: As `recommend`.
        """
        self.recommend(self._empty, _NOTHING_KNOWN)

    def recommend(
        self, frame: NDArray[np.uint8], context: Context, in_stock: NDArray[np.bool_] | None = None
    ) -> Recommendation:
        """The three flavours for whoever is in this frame.

        Args:
            frame: uint8 [H, W, 3] BGR of any size; see `fit_frame`.
            context: What else is known.
            in_stock: bool [F] by flavour index; None when everything is.

        Raises:
            FrameError: The array is no frame.
            StockError: The mask has another type or length.
            BrokenAnswer: The network cannot be run, or answered something impossible.
            ModelInUse: Another thread is inside.
        """
        self._enter()
        try:
            started = perf_counter_ns()
            fit_frame(frame, self._size, self._frame)
            encode_into(self._features, context, self._context)
            self._set_stock(in_stock)
            before = perf_counter_ns()
            self._run()
            after = perf_counter_ns()
            return self._answer(started, before, after)
        finally:
            self._busy.release()

    def _bind_input(self, name: str, array: NDArray[Any]) -> None:
        shape = (1, *array.shape)
        self._binding.bind_input(name, "cpu", 0, array.dtype.type, shape, array.ctypes.data)

    def _bind_output(self, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
        self._binding.bind_output(name, "cpu", 0, array.dtype.type, shape, array.ctypes.data)

    def _enter(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise ModelInUse("two threads used one model at once", remedy="Load one FlavourModel per thread.")

    def _run(self) -> None:
        try:
            self._session.run_with_iobinding(self._binding)
        except ORT_ERRORS as error:
            reason = " ".join(str(error).split())[:300]
            raise BrokenAnswer(f"the network fails while it runs: {reason}", remedy=_MODEL_REMEDY) from error

    def _set_stock(self, in_stock: NDArray[np.bool_] | None) -> None:
        if in_stock is None:
            self._in_stock[:] = True
            return
        if not isinstance(in_stock, np.ndarray) or in_stock.dtype != np.bool_:
            raise StockError(
                "the stock mask must be a bool array", remedy="Give one bool per flavour, or None."
            )
        if in_stock.shape != self._in_stock.shape:
            raise StockError(
                f"the stock mask has shape {in_stock.shape}, the model has {self._flavours} flavours",
                remedy="Build the mask from this model's manifest; another model has another catalogue.",
            )
        self._in_stock[:] = in_stock

    def _answer(self, started: int, before: int, after: int) -> Recommendation:
        """The buffers as a value of their own, once they are known to make sense."""
        scores = self._scores.copy()
        nobody = self._nobody.item()
        indices = self._top3.tolist()
        chances = self._probability.tolist()
        # The dot product of scores with themselves is finite only if each one is. Written so that NaN fails.
        if not (math.isfinite(scores.dot(scores)) and 0.0 <= nobody <= 1.0):
            raise BrokenAnswer("the network's scores are no finite numbers", remedy=_MODEL_REMEDY)
        if indices[-1] < 0:
            shown = min(SLATE, int(np.count_nonzero(self._in_stock)))
            if indices.count(-1) != SLATE - shown:
                raise BrokenAnswer("the network leaves out what is in stock", remedy=_MODEL_REMEDY)
            indices, chances = indices[:shown], chances[:shown]
        if len(set(indices)) != len(indices):
            raise BrokenAnswer("the network recommends one flavour twice", remedy=_MODEL_REMEDY)
        for index, chance in zip(indices, chances, strict=True):
            if not (0 <= index < self._flavours and self._in_stock[index] and 0.0 <= chance <= 1.001):
                raise BrokenAnswer("the network's top 3 are impossible", remedy=_MODEL_REMEDY)
        return Recommendation(
            top3=tuple(indices),
            probability=tuple(chances),
            scores=scores,
            nobody=nobody,
            inference_ms=(after - before) / _NS_PER_MS,
            total_ms=(perf_counter_ns() - started) / _NS_PER_MS,
        )
