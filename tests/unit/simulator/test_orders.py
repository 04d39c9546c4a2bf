from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dicebear")

from simulator import bank as bank_module
from simulator import orders
from simulator.bank import CharacterBank
from simulator.customers import draw_customer
from simulator.orders import NOBODY, Request, chain_of, describe, make_chunk, render, variants
from wire_protocol.errors import OperatorError


@pytest.fixture(autouse=True)
def small_banks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Banks of two customers in a cache of the test's own: drawing 500 takes half a minute."""
    monkeypatch.setattr(orders, "BANK_SIZE", 2)
    monkeypatch.setattr(bank_module, "COMPANIONS", 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def request(split: str, out: Path, chunks: list[tuple[int, int]]) -> Request:
    return Request("polar-scoop", split, 32, chunks, str(out))


def bank(split: str = "train") -> CharacterBank:
    return orders.bank_of(split, 0)


def test_an_order_does_not_depend_on_its_chunk(tmp_path: Path) -> None:
    """Made in one chunk or in two, by one process or by several: the same bytes."""
    wanted, drawn = request("train", tmp_path, []), bank()
    whole = make_chunk(wanted, drawn, 0, 6)
    parts = [make_chunk(wanted, drawn, 0, 2), make_chunk(wanted, drawn, 2, 4)]
    for name, column in whole.items():
        np.testing.assert_array_equal(column, np.concatenate([part[name] for part in parts]), name)


def test_learners_never_see_the_truth(tmp_path: Path) -> None:
    """What is drawn for learning has one purchase per order, no probabilities and no attributes."""
    assert set(make_chunk(request("train", tmp_path, []), bank(), 0, 3)) == {
        "order",
        "hour",
        "weekday",
        "temperature_c",
        "shop",
        "purchase",
        "frames",
    }


def test_tests_know_the_truth(tmp_path: Path) -> None:
    chunk = make_chunk(request("test", tmp_path, []), bank("test"), 0, 3)
    assert chunk["truth"].sum(axis=1) == pytest.approx(1.0)
    assert chunk["blind_truth"].sum(axis=1) == pytest.approx(1.0)


def test_splits_draw_other_customers_and_other_orders(tmp_path: Path) -> None:
    """No customer's drawing of one split is met in another."""
    train, test = bank(), bank("test")
    assert set(train.customers).isdisjoint(test.customers)
    first = make_chunk(request("train", tmp_path, []), train, 0, 4)
    second = make_chunk(request("validation", tmp_path, []), bank("validation"), 0, 4)
    assert not np.array_equal(first["temperature_c"], second["temperature_c"])


def test_some_frames_show_nobody(tmp_path: Path) -> None:
    chunk = make_chunk(request("train", tmp_path, []), bank(), 0, 60)
    assert 0 < int((chunk["purchase"] == NOBODY).sum()) < 20


def test_variants_differ_in_one_nuisance_each() -> None:
    """Everything that carries taste stays, and so does every nuisance but one."""
    rng = np.random.default_rng(1)
    first, *others = variants(draw_customer(rng), rng)
    assert len(others) == 5
    for other in others:
        assert other.visible == first.visible
        assert other.detail == first.detail
        before, after = asdict(first.nuisance), asdict(other.nuisance)
        assert sum(before[name] != after[name] for name in before) == 1


def test_a_pair_shares_everything_that_carries_taste() -> None:
    """Both frames of a pair show one customer's look; only nuisance attributes are drawn anew."""
    rng = np.random.default_rng(2)
    changed = 0
    for _ in range(10):
        first, second = orders._shown("pairs", draw_customer(rng), rng)
        assert (second.visible, second.detail) == (first.visible, first.detail)
        changed += second.nuisance != first.nuisance
    assert changed > 7


def test_render_writes_a_file_per_chunk(tmp_path: Path) -> None:
    render(request("train", tmp_path, [(0, 2), (4, 1)]))
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["00000000.npz", "00000004.npz"]
    with np.load(tmp_path / "00000004.npz") as chunk:
        assert chunk["frames"].shape == (1, 32, 32, 3)
        assert chunk["order"].tolist() == [4]


def test_golden_frames_are_the_cameras_own_with_one_of_nobody(tmp_path: Path) -> None:
    wanted = Request("polar-scoop", "golden", 0, [], str(tmp_path))
    chunk = make_chunk(wanted, bank("golden"), 0, 5)
    assert chunk["frames"].shape == (5, 480, 640, 3)
    assert int((chunk["purchase"] == NOBODY).sum()) == 1


def test_description_fits_the_chain() -> None:
    described = describe(chain_of("gelateria-sole"))
    assert len(described["flavours"]) == 16
    assert set(described["flavours"][0]) == {"id", "names", "colour"}
    assert described["nuisances"] == ["skin", "presentation", "age", "mood", "head_cover"]


def test_unknown_chain_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OperatorError, match="no chain 'x'") as caught:
        chain_of("x")
    assert "gelateria-sole" in caught.value.remedy
