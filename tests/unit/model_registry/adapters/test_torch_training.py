from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.builders.torch_needed import require_torch

require_torch()

import torch

from model_registry.adapters import torch_training
from model_registry.adapters.torch_student import Student
from model_registry.adapters.torch_training import Recipe, Trainer
from model_registry.examples import Labelled, Pairs
from model_registry.network import StudentShape

pytestmark = pytest.mark.train


def bright_or_dark(count: int, seed: int, size: int) -> Labelled:
    """A world where bright frames buy flavour 0, dark ones flavour 1, and black ones are nobody."""
    rng = np.random.default_rng(seed)
    purchase = rng.integers(-1, 2, count)
    level = np.choose(purchase + 1, [5, 220, 90])
    frames = np.clip(level[:, None, None, None] + rng.normal(0, 5, (count, size, size, 3)), 0, 255).astype(
        np.uint8
    )
    return Labelled("one", frames, np.zeros((count, 9), np.float32), purchase.astype(np.int64))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two threads that wait for each other in turns are slower than one on a busy machine."""
    torch.set_num_threads(1)


def chances_of(student: Student, seen: Labelled) -> NDArray[np.float32]:
    with torch.no_grad():
        frames = torch.from_numpy(np.asarray(seen.frames[:])).permute(0, 3, 1, 2)
        scores, _ = student.heads["one"](student.features(frames), torch.from_numpy(seen.context))
        return torch.softmax(scores, 1).numpy()


def train(
    shape: StudentShape, folder: Path, steps: int, *, stop_at: int | None = None, patience: int = 9
) -> tuple[Student, list[dict[str, float]]]:
    torch.manual_seed(4)
    student = Student(shape, {"one": 2})
    trainer = Trainer(
        student,
        groups=[(list(student.parameters()), 1.0)],
        learning=[bright_or_dark(96, 1, shape.size)],
        validation=[bright_or_dark(48, 2, shape.size)],
        recipe=Recipe(steps, 16, 1e-2, average=0.9, patience=patience, validate_every=5),
        checkpoint=folder / "student.pt",
        seed=3,
    )

    def report(step: int, _total: int, _note: str) -> None:
        if step == stop_at:
            raise KeyboardInterrupt

    return student, trainer.run(report)


def test_a_student_learns_what_there_is_to_see(shape: StudentShape, tmp_path: Path) -> None:
    student, history = train(shape, tmp_path, 40)
    assert history[-1]["validation_loss"] < 0.5 * history[0]["validation_loss"]
    seen = bright_or_dark(40, 5, shape.size)
    there = seen.purchase >= 0
    chances = chances_of(student, seen)
    assert (chances[there].argmax(axis=1) == seen.purchase[there]).mean() > 0.95


def test_a_killed_training_goes_on_to_the_same_end(
    shape: StudentShape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, averages, optimizer, order of examples and augmentation all come back."""
    monkeypatch.setattr(torch_training, "_SAVE_EVERY", 5)
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole, history = train(shape, tmp_path / "whole", 15)
    with pytest.raises(KeyboardInterrupt):
        train(shape, tmp_path / "killed", 15, stop_at=10)
    again, history_again = train(shape, tmp_path / "killed", 15)
    assert history_again == history
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, again.state_dict()[name], atol=1e-6), name


def test_training_stops_early_when_nothing_improves(
    shape: StudentShape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `patience` validations without progress the best weights are kept and the rest is spared."""
    losses = iter([1.0, 2.0, 3.0, 4.0])
    monkeypatch.setattr(Trainer, "_loss", _with_losses(Trainer._loss, losses))
    _, history = train(shape, tmp_path, 60, patience=2)
    assert len(history) == 3


def _with_losses(original: object, losses: object) -> object:
    """Let every validation find the next loss of a list; training steps stay as they are."""

    def loss(
        self: object, features: object, part: object, soft_weight: float, model: object = None
    ) -> object:
        found = original(self, features, part, soft_weight, model)  # type: ignore[operator]
        return found if model is None else torch.tensor(next(losses))  # type: ignore[call-overload]

    return loss


def test_pairs_are_answered_more_alike(shape: StudentShape, tmp_path: Path) -> None:
    """What differs within pairs, here the brightness that purchases follow, loses its influence."""
    data = bright_or_dark(96, 1, shape.size)
    there = np.flatnonzero(data.purchase >= 0)
    bright, dark = (there[data.purchase[there] == flavour][:20] for flavour in (0, 1))
    rows = np.stack([bright, dark], axis=1).ravel()
    pairs = Pairs("one", np.asarray(data.frames[rows]), data.context[rows])

    def gap(weight: float) -> float:
        torch.manual_seed(4)
        student = Student(shape, {"one": 2})
        Trainer(
            student,
            groups=[(list(student.parameters()), 1.0)],
            learning=[data],
            validation=[data],
            pairs=[pairs],
            recipe=Recipe(30, 16, 1e-2, average=0.9, pairs=8, pair_weight=weight, validate_every=30),
            checkpoint=tmp_path / f"{weight}.pt",
            seed=3,
        ).run(lambda _step, _total, _note: None)
        seen = Labelled("one", pairs.frames, pairs.context, np.zeros(len(rows), np.int64))
        chances = chances_of(student, seen)
        return float(np.abs(chances[0::2] - chances[1::2]).mean())

    assert gap(20.0) < 0.5 * gap(0.0)
