"""The training loop that teacher and student share: resumable, with a moving average of the weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_registry.examples import Batch, ExampleReader, Labelled, Pairs
from model_registry.orders import NOBODY

NOBODY_WEIGHT = 0.3
_SAVE_EVERY = 250


class Network(Protocol):
    """What the loop trains: features of frames, then a head per chain."""

    heads: nn.ModuleDict

    def features(self, frames: Tensor) -> Tensor:
        """Describe uint8 frames [N, 3, S, S]."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast.

    Args:
        steps: Optimizer steps at most.
        batch: Frames per step, divided among the chains.
        rate: Peak learning rate; it rises over the first steps and falls as a cosine.
        body_rate: The same for pretrained layers, as a share of `rate`.
        decay: Weight decay of matrices.
        average: Share that the moving average of the weights keeps per step.
        soft_weight: Share of the teacher's opinion in the loss, the rest is the purchase.
        pairs: Pairs of frames per step, divided among the chains; on top of the batch.
        pair_weight: Weight of answering both frames of a pair alike.
        patience: Validations without improvement after which training stops.
        validate_every: Steps between validations.
    """

    steps: int
    batch: int
    rate: float
    body_rate: float = 1.0
    decay: float = 0.02
    average: float = 0.998
    soft_weight: float = 0.0
    pairs: int = 0
    pair_weight: float = 0.0
    patience: int = 8
    validate_every: int = 500


Report = Callable[[int, int, str], None]


def device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Trainer:
    """Trains one network; `checkpoint` lets a later call go on after a kill.

    Args:
        network: Trained in place; at the end it holds the averaged weights of the best validation.
        groups: Parameters by their share of the learning rate.
        learning: One entry per chain.
        validation: One entry per chain.
        pairs: One entry per chain, or none.
        recipe: How long and how fast.
        checkpoint: File that is written now and then; an existing one is continued.
        seed: Of the order of the examples and of augmentation.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        groups: Sequence[tuple[list[nn.Parameter], float]],
        learning: Sequence[Labelled],
        validation: Sequence[Labelled],
        pairs: Sequence[Pairs] = (),
        recipe: Recipe,
        checkpoint: Path,
        seed: int,
    ) -> None:
        self._network, self._recipe, self._checkpoint = network, recipe, checkpoint
        self._validation = validation
        self._examples = ExampleReader(
            learning, pairs, batch=recipe.batch, pairs_per_step=recipe.pairs, seed=seed
        )
        self._device = device()
        network.to(self._device)
        self._average = copy.deepcopy(network)
        self._optimizer = torch.optim.AdamW(
            [
                {"params": chosen, "share": share, "weight_decay": recipe.decay if matrices else 0.0}
                for parameters, share in groups
                for matrices in (True, False)
                if (chosen := [one for one in parameters if (one.ndim > 1) is matrices])
            ],
            lr=recipe.rate,
            betas=(0.9, 0.99),
        )
        self._step, self._best, self._worse = 0, math.inf, 0
        self._history: list[dict[str, float]] = []
        self._best_weights: dict[str, Tensor] = {}
        if checkpoint.exists():
            self._load()

    def run(self, report: Report) -> list[dict[str, float]]:
        """Train to the end, and return what every validation found."""
        recipe = self._recipe
        self._network.train()
        running = 0.0
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._examples.read, self._step)
            while self._step < recipe.steps and self._worse < recipe.patience:
                self._set_rate()
                batch, ahead = ahead.result(), reader.submit(self._examples.read, self._step + 1)
                loss = self._one_step(batch)
                running = loss if running == 0.0 else 0.98 * running + 0.02 * loss
                self._step += 1
                if self._step % recipe.validate_every == 0 or self._step == recipe.steps:
                    self._validate()
                if self._step % _SAVE_EVERY == 0 or self._step == recipe.steps:
                    self._save()
                report(self._step, recipe.steps, f"loss {running:.4f} best validation {self._best:.4f}")
        self._network.load_state_dict(self._best_weights)
        self._network.eval()
        return self._history

    def _one_step(self, batch: Batch) -> float:
        frames = _frames(batch.pixels, self._device).float() * torch.from_numpy(batch.gain).to(self._device)
        network: Network = self._network  # type: ignore[assignment]
        with torch.autocast(self._device.type, torch.bfloat16):
            features = network.features(frames)
        losses, start = [], 0
        for part in batch.parts:
            rows = slice(start, start + len(part.purchase))
            start = rows.stop
            losses.append(self._loss(features[rows].float(), part, self._recipe.soft_weight))
        loss = torch.stack(losses).mean()
        for pair in batch.pairs:
            rows = slice(start, start + len(pair.context))
            start = rows.stop
            loss = loss + self._recipe.pair_weight / len(batch.pairs) * self._disagreement(
                features[rows], pair
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), 2.0)
        self._optimizer.step()
        self._update_average()
        return float(loss.detach())

    def _loss(
        self, features: Tensor, part: Labelled, soft_weight: float, model: nn.Module | None = None
    ) -> Tensor:
        head = (model or self._network).get_submodule(f"heads.{part.tenant}")
        purchase = torch.from_numpy(part.purchase).to(self._device)
        scores, nobody = head(features, torch.from_numpy(part.context).to(self._device))
        absent = purchase == NOBODY
        loss = NOBODY_WEIGHT * functional.binary_cross_entropy_with_logits(nobody, absent.float())
        there = ~absent
        if bool(there.any()):
            bought = functional.cross_entropy(scores[there], purchase[there])
            if part.soft is not None and soft_weight:
                soft = torch.from_numpy(part.soft).to(self._device)
                opinion = functional.cross_entropy(scores[there], soft[there])
                bought = (1 - soft_weight) * bought + soft_weight * opinion
            loss = loss + bought
        return loss

    def _disagreement(self, features: Tensor, pair: Pairs) -> Tensor:
        """Return how far apart the answers to both frames of a pair are: symmetric Kullback-Leibler, mean."""
        head = self._network.get_submodule(f"heads.{pair.tenant}")
        scores, _ = head(features.float(), torch.from_numpy(pair.context).to(self._device))
        logs = torch.log_softmax(scores, 1)
        one, other = logs[0::2], logs[1::2]
        return ((one - other) * (one.exp() - other.exp())).sum(1).mean()

    def _validate(self) -> None:
        self._average.eval()
        network: Network = self._average  # type: ignore[assignment]
        total, count = 0.0, 0
        with torch.no_grad():
            for part in self._validation:
                for rows in _slices(len(part.purchase), 128):
                    chunk = part.take(rows)
                    with torch.autocast(self._device.type, torch.bfloat16):
                        features = network.features(_frames(chunk.frames[:], self._device))
                    loss = self._loss(features.float(), chunk, 0.0, self._average)
                    total += float(loss) * len(chunk.purchase)
                    count += len(chunk.purchase)
        value = total / count
        self._history.append({"step": self._step, "validation_loss": round(value, 5)})
        if value < self._best:
            self._best, self._worse = value, 0
            self._best_weights = {
                name: tensor.detach().cpu().clone() for name, tensor in self._average.state_dict().items()
            }
        else:
            self._worse += 1

    def _set_rate(self) -> None:
        recipe = self._recipe
        warm_up = max(1, min(300, recipe.steps // 10))
        now = min(1.0, (self._step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * self._step / recipe.steps))
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate * group["share"] * now

    def _update_average(self) -> None:
        keep = min(self._recipe.average, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            ours = [value for value in self._network.state_dict().values() if value.is_floating_point()]
            means = [value for value in self._average.state_dict().values() if value.is_floating_point()]
            torch._foreach_lerp_(means, ours, 1 - keep)

    def _save(self) -> None:
        beside = self._checkpoint.with_suffix(".tmp")
        torch.save(
            {
                "network": self._network.state_dict(),
                "average": self._average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "step": self._step,
                "best": self._best,
                "worse": self._worse,
                "history": self._history,
                "best_weights": self._best_weights,
            },
            beside,
        )
        beside.replace(self._checkpoint)

    def _load(self) -> None:
        stored: Mapping[str, object] = torch.load(
            self._checkpoint, map_location=self._device, weights_only=True
        )
        self._network.load_state_dict(stored["network"])  # type: ignore[arg-type]
        self._average.load_state_dict(stored["average"])  # type: ignore[arg-type]
        self._optimizer.load_state_dict(stored["optimizer"])  # type: ignore[arg-type]
        self._step, self._best = int(stored["step"]), float(stored["best"])  # type: ignore[call-overload, arg-type]
        self._worse = int(stored["worse"])  # type: ignore[call-overload]
        self._history = list(stored["history"])  # type: ignore[call-overload]
        self._best_weights = dict(stored["best_weights"])  # type: ignore[call-overload]


def _slices(count: int, step: int) -> Iterator[slice]:
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _frames(frames: NDArray[np.uint8], where: torch.device) -> Tensor:
    """uint8 [N, S, S, 3] becomes [N, 3, S, S] without being copied into another order."""
    return torch.from_numpy(np.array(frames)).to(where).permute(0, 3, 1, 2)
