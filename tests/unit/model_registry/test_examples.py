import numpy as np
import pytest

from model_registry.examples import ExampleReader, Labelled, Pairs, augmented


def labelled(count: int, tenant: str = "one") -> Labelled:
    """Frames that are recognised again: each is filled with its row's number."""
    frames = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 8, 8, 3))
    return Labelled(tenant, frames, np.zeros((count, 9), np.float32), np.arange(count))


def paired(count: int) -> Pairs:
    frames = np.broadcast_to(np.arange(2 * count, dtype=np.uint8)[:, None, None, None], (2 * count, 8, 8, 3))
    return Pairs("one", frames, np.zeros((2 * count, 9), np.float32))


def reader(pairs: tuple[Pairs, ...] = (), seed: int = 3) -> ExampleReader:
    return ExampleReader([labelled(32), labelled(48, "two")], pairs, batch=16, pairs_per_step=4, seed=seed)


def test_every_example_is_seen_once_an_epoch() -> None:
    """Half a batch of 16 for each of two chains: 4 steps see all of 32, 6 steps all of 48."""
    examples = reader()
    assert sorted(np.concatenate([examples.rows(0, step) for step in range(4)])) == list(range(32))
    assert sorted(np.concatenate([examples.rows(1, step) for step in range(6)])) == list(range(48))


def test_epochs_come_in_other_orders() -> None:
    examples = reader()
    assert examples.rows(0, 0).tolist() != examples.rows(0, 4).tolist()


def test_a_step_is_the_same_whenever_it_is_read() -> None:
    """A training that goes on after a kill sees what it would have seen."""
    first, again = reader((paired(20),)), reader((paired(20),))
    for step in (7, 3, 7):
        first.read(step)
    one, other = first.read(5), again.read(5)
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.gain, other.gain)


def test_pixels_stand_in_the_order_of_their_parts() -> None:
    """Labelled rows first, then pairs, each frame beside its partner."""
    batch = reader((paired(20),)).read(0)
    assert [len(part.purchase) for part in batch.parts] == [8, 8]
    assert len(batch.pairs[0].context) == 8
    values = batch.pixels[:, 0, 0, 0].tolist()
    assert values[:8] == batch.parts[0].purchase.tolist()
    assert values[8:16] == batch.parts[1].purchase.tolist()
    first, second = values[16::2], values[17::2]
    assert [value + 1 for value in first] == second


@pytest.mark.parametrize("seed", [1, 2])
def test_augmentation_moves_and_mirrors_but_invents_nothing(seed: int) -> None:
    """Every pixel of an augmented frame is one of the frame's."""
    frame = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(1, 32, 32, 3) % 251
    frames = np.repeat(frame.astype(np.uint8), 6, axis=0)
    moved = augmented(frames, np.random.default_rng(seed))
    assert moved.shape == frames.shape
    assert any(not np.array_equal(one, frames[0]) for one in moved)
    known = {tuple(pixel) for pixel in frames[0].reshape(-1, 3).tolist()}
    assert {tuple(pixel) for pixel in moved.reshape(-1, 3).tolist()} <= known
