from pathlib import Path

import numpy as np
import pytest

from simulator.bank import COMPANIONS, CharacterBank, cache_folder, companion_cast, print_progress
from simulator.customers import Customer, draw_customer
from simulator.errors import CacheUnusable
from simulator.rendering import render_character

SIZE = 2


class Calls:
    """Counts what a bank reports while it opens."""

    def __init__(self) -> None:
        self.rendered: list[tuple[int, int]] = []
        self.reports: list[str] = []

    def open(self, folder: Path, seed: int = 3) -> CharacterBank:
        return CharacterBank.open(
            SIZE,
            seed,
            folder=folder,
            progress=lambda done, total: self.rendered.append((done, total)),
            report=self.reports.append,
        )


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    Calls().open(folder)
    return folder


def test_a_bank_is_rendered_once_and_read_after(full: Path) -> None:
    calls = Calls()
    bank = calls.open(full)
    assert not calls.rendered
    customer = bank.customers[1]
    assert np.array_equal(bank.picture(customer), render_character(customer))


def test_a_damaged_bank_is_rendered_again_with_a_message(full: Path, tmp_path: Path) -> None:
    (good,) = full.iterdir()
    damaged = tmp_path / good.name
    damaged.write_bytes(good.read_bytes()[:2000])
    calls = Calls()
    bank = calls.open(tmp_path)
    assert "damaged" in calls.reports[0]
    assert str(damaged) in calls.reports[0]
    assert calls.rendered[-1] == (SIZE + 2 * COMPANIONS, SIZE + 2 * COMPANIONS)
    assert damaged.read_bytes() == good.read_bytes()
    assert bank.picture(bank.customers[0]).any()


def test_a_file_of_another_shape_is_rendered_again(full: Path, tmp_path: Path) -> None:
    (good,) = full.iterdir()
    np.save(tmp_path / good.name, np.zeros(3))
    calls = Calls()
    calls.open(tmp_path)
    assert "another kind" in calls.reports[0]


def test_a_bank_of_older_drawing_code_is_removed_and_other_banks_stay(tmp_path: Path) -> None:
    outdated = tmp_path / f"characters-personas-{SIZE}-3-0123456789abcdef.npy"
    other = tmp_path / f"characters-personas-{SIZE}-33-0123456789abcdef.npy"
    for path in (outdated, other):
        path.write_bytes(b"old")
    Calls().open(tmp_path)
    assert not outdated.exists()
    assert other.exists()


def test_nothing_half_written_stays_behind(full: Path) -> None:
    assert [path.suffix for path in full.iterdir()] == [".npy"]


def test_an_interrupted_rendering_leaves_no_bank(tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CharacterBank.open(SIZE, 3, folder=tmp_path, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheUnusable) as caught:
        Calls().open(tmp_path / "file" / "below")
    assert "XDG_CACHE_HOME" in caught.value.remedy


def test_another_seed_gives_other_customers(full: Path, bank: CharacterBank) -> None:
    assert not set(Calls().open(full).customers) & set(bank.customers)


def test_a_bank_draws_its_own_customers(bank: CharacterBank) -> None:
    rng = np.random.default_rng(1)
    assert {bank.draw(rng) for _ in range(100)} == set(bank.customers)
    assert len(bank) == 8


def test_a_customer_outside_the_bank_is_rendered_and_kept(bank: CharacterBank) -> None:
    stranger: Customer = draw_customer(np.random.default_rng(99))
    first = bank.picture(stranger)
    assert np.array_equal(first, render_character(stranger))
    assert bank.picture(stranger) is first


def test_children_wear_no_beards_and_the_cast_is_fixed(bank: CharacterBank) -> None:
    cast = companion_cast()
    assert cast == companion_cast()
    assert {child.nuisance.presentation for child in cast[:COMPANIONS]} == {"neutral"}
    assert np.array_equal(bank.companion("adult", 1), render_character(cast[COMPANIONS + 1]))
    assert np.array_equal(bank.companion("child", COMPANIONS + 2), render_character(cast[2]))


def test_the_cache_lies_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "topscoop"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "topscoop"


def test_without_a_terminal_only_start_and_end_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for done in (0, 50, 100):
        print_progress(done, 100)
    assert capsys.readouterr().err.splitlines() == [
        "rendering customers 0/100",
        "rendering customers 100/100",
    ]
