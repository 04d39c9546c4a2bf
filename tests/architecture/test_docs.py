"""The docs are held against the code: nothing that a user can name is missing, nothing foreign is in them."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.adapters.metrics import Metrics
from topscoop.cli import build_parser

_ROOT = Path(__file__).parents[2]
_PAGES = [
    _ROOT / "README.md",
    *sorted((_ROOT / "deploy").glob("*.toml")),
    *sorted((_ROOT / "docs").glob("*.md")),
]
_TEXT = "\n".join(page.read_text("utf-8") for page in _PAGES)
_TEXT_FILES = {".py", ".md", ".toml", ".txt", ".json", ".js", ".css", ".html", ".sh", ".service", ".in", ""}


def _verbs(parser: argparse.ArgumentParser, words: tuple[str, ...] = ("topscoop",)) -> Iterator[str]:
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield " ".join(words)
    for action in nested:
        for name, inner in action.choices.items():
            yield from _verbs(inner, (*words, name))


def _config_keys() -> Iterator[str]:
    schema = subprocess.run(
        [sys.executable, "-m", "topscoop", "edge", "config", "schema"], capture_output=True, check=True
    )
    for name, value in json.loads(schema.stdout)["properties"].items():
        tables = [
            table
            for table in [value, *value.get("oneOf", []), *value.get("anyOf", [])]
            if "properties" in table
        ]
        yield from (key for table in tables for key in table["properties"]) if tables else [name]


def _tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [_ROOT / name for name in done.stdout.split("\0") if name and (_ROOT / name).is_file()]


@pytest.mark.parametrize("verb", list(_verbs(build_parser(None))))
def test_every_verb_is_documented(verb: str) -> None:
    """Each command stands in the docs, perhaps in a shared form such as `topscoop edge config check|show`."""
    *head, last = verb.split(" ")
    shared = rf"{re.escape(' '.join(head))} [a-z|]*\b{re.escape(last)}\b"
    assert re.search(shared, _TEXT), f"no page mentions `{verb}`"


def test_every_configuration_key_is_documented() -> None:
    """The commented sample names every key."""
    sample = (_ROOT / "deploy" / "edge.toml").read_text("utf-8")
    assert [key for key in _config_keys() if not re.search(rf"^#? ?{key} = ", sample, re.MULTILINE)] == []


def test_every_metric_is_documented() -> None:
    """Each metric that an agent serves stands in the docs."""
    names = [family.name for family in Metrics().registry.collect()]
    assert names
    assert [name for name in names if name not in _TEXT] == []


def test_every_link_leads_somewhere() -> None:
    """Relative links and pictures of all pages exist."""
    broken = [
        f"{page.relative_to(_ROOT)}: {target}"
        for page in [*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_make_targets_of_the_readme_exist() -> None:
    """Every `make …` that a page promises is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z]+(?:-[a-z]+)*)", (_ROOT / "README.md").read_text("utf-8")))
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_no_file_names_the_machine_it_was_made_on() -> None:
    """No absolute path of this checkout or of a home directory stands in any file."""
    places = [f"{_ROOT}/", f"{Path.home()}/"]
    found = [
        f"{path.relative_to(_ROOT)}: {place}"
        for path in _tracked()
        if path.suffix in _TEXT_FILES and path.name != "LICENSE"
        for place in places
        if place != "/" and place in path.read_text("utf-8", errors="replace")
    ]
    assert found == []
