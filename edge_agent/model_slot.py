"""The model in use, and how it is exchanged between two frames."""

import asyncio
from pathlib import Path

import numpy as np

from edge_agent.errors import ModelRefusedError
from edge_agent.ports import Model, ModelLoader
from inference import Context, ModelError

_BLANK = np.zeros((480, 640, 3), np.uint8)


class ModelSlot:
    """One reference to a model; whoever recommends reads it once per interaction.

    Args:
        loader: Reads a model directory.
        tenant: The chain of this register; another chain's model is refused.
    """

    def __init__(self, loader: ModelLoader, *, tenant: str) -> None:
        self._loader = loader
        self._tenant = tenant
        self._swapping = asyncio.Lock()
        self.current: Model | None = None
        self.directory: Path | None = None

    def load(self, directory: Path) -> Model:
        """Read, check and try out a model without using it; takes a fraction of a second.

        Raises:
            ModelRefusedError: The directory holds no usable model of this chain.
        """
        try:
            model = self._loader(directory)
            # One real answer: a network that loads may still fail to run, or answer NaN for everything.
            model.recommend(_BLANK, Context())
        except ModelError as error:
            raise ModelRefusedError(f"{directory}: {error}", remedy=error.remedy) from error
        if model.manifest.tenant != self._tenant:
            raise ModelRefusedError(
                f"{directory}: the model belongs to {model.manifest.tenant!r}, not to {self._tenant!r}",
                remedy="Take a model of this register's chain, or correct `tenant` in the configuration.",
            )
        return model

    def put(self, model: Model, directory: Path) -> Model | None:
        """Use this model from now on; returns the one before. One assignment, so nobody sees a half."""
        before, self.current, self.directory = self.current, model, directory
        return before

    def clear(self) -> Model | None:
        """Use none: best-sellers are shown, called so; returns the one before."""
        before, self.current, self.directory = self.current, None, None
        return before

    async def swap(self, directory: Path) -> Model:
        """Exchange the model while recommendations go on; a second swap waits for the first.

        Raises:
            ModelRefusedError: As `load`; the model before stays in use.
        """
        async with self._swapping:
            model = await asyncio.to_thread(self.load, directory)
            before = [self.put(model, directory)]
            # The last reference goes in a thread: tearing a session down takes about a millisecond.
            await asyncio.to_thread(before.clear)
            return model
