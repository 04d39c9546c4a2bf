"""A configuration for editors and for the documentation."""

from dataclasses import dataclass, field

from daemon.settings import Settings
from daemon.settings_key import about
from daemon.settings_schema import json_schema, markdown_table


@dataclass(frozen=True, slots=True)
class Oven:
    """The oven."""

    heat_c: int = field(default=1800, metadata=about("degrees", low=50, high=3000))
    hot: bool = field(default=True, metadata=about("now|later"))


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A kitchen."""

    cook: str = field(metadata=about("who cooks", pattern="[a-z]+"))
    oven: Oven = field(default_factory=Oven)


SETTINGS = Settings(Kitchen, title="Kitchen", prefix="KITCHEN_", remedy="", shorthands={"oven": "oven.hot"})


def test_the_schema_says_what_is_known_of_each_key() -> None:
    schema = json_schema(SETTINGS)
    assert (schema["title"], schema["required"]) == ("Kitchen", ["cook"])
    assert schema["properties"]["cook"]["pattern"] == "^(?:[a-z]+)$"
    short, table = schema["properties"]["oven"]["anyOf"]
    assert short["type"] == "boolean"
    assert table["properties"]["heat_c"] == {
        "type": "integer",
        "minimum": 50,
        "maximum": 3000,
        "description": "degrees",
        "default": 1800,
    }


def test_the_table_has_a_line_for_each_key() -> None:
    lines = markdown_table(SETTINGS).splitlines()
    assert lines[2:] == [
        "| `cook` |  |  | who cooks |",
        "| `oven.heat_c` | `1800` | 50 to 3,000 | degrees |",
        "| `oven.hot` | `true` |  | now\\|later |",
    ]
