import importlib
import sys

import pytest

from benchmarks import __main__ as every


def _commands(*words: str) -> list[list[str]]:
    return [command[1:] for command in every.commands(every._parser().parse_args(words))]


def test_without_a_name_every_part_runs() -> None:
    """Each as a program of its own, with what both understand."""
    assert _commands("--quick", "--json") == [
        ["-m", "benchmarks.edge", "--quick", "--json"],
        ["-m", "benchmarks.collector", "--quick", "--json"],
        ["-m", "benchmarks.releases", "--quick", "--json"],
        ["-m", "benchmarks.public_api", "--quick", "--json"],
    ]


def test_a_row_runs_in_the_part_that_has_it() -> None:
    """The other parts are not even started."""
    assert _commands("--only", "puback") == [["-m", "benchmarks.collector", "--only", "puback"]]
    assert _commands("--only", "swap", "--only", "cpu") == [
        ["-m", "benchmarks.edge", "--only", "swap"],
        ["-m", "benchmarks.collector", "--only", "cpu"],
    ]


def test_options_of_the_edge_stay_there() -> None:
    """The peer and the reports are nothing to the others; the model is."""
    edge, collector, releases, public_api = _commands("--peer", "none", "--models", "m", "--model", "d")
    assert edge == ["-m", "benchmarks.edge", "--model", "d", "--peer", "none", "--models", "m"]
    assert collector == ["-m", "benchmarks.collector", "--model", "d"]
    assert releases == ["-m", "benchmarks.releases", "--model", "d"]
    assert public_api == ["-m", "benchmarks.public_api", "--model", "d"]


def test_row_names_are_unique() -> None:
    """Or `--only` would mean two things."""
    names = [row.name for rows in every.SUITES.values() for row in rows]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("statuses", "told"), [((0, 0), 0), ((0, 2), 2), ((2, 1), 1), ((0, 1), 1), ((0, -9), 1), ((2, 3), 1)]
)
def test_the_status_is_the_worst(
    statuses: tuple[int, int], told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that was killed counts as one that could not be measured."""
    programs = [[sys.executable, "-c", "0"]] * 2
    ends = iter(statuses)
    monkeypatch.setattr(every, "commands", lambda _: programs)
    monkeypatch.setattr(every, "run", lambda _: next(ends))
    assert every.main([]) == told


@pytest.mark.parametrize("part", ["edge", "collector", "releases", "public_api"])
def test_help_is_printed_whole(part: str) -> None:
    """A row's meaning may hold a percent sign, which argparse would take for a placeholder."""
    program = importlib.import_module(f"benchmarks.{part}").PROGRAM
    assert program.rows[0].meaning[:20] in program.parser().format_help().replace("\n                   ", "")
    assert "--only" in every._parser().format_help()
