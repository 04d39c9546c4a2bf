"""What holds of every configuration; those of agent and cloud have tests of their keys beside them."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from daemon.errors import ConfigError
from daemon.settings import Given, Settings, value_at
from daemon.settings_key import about


@dataclass(frozen=True, slots=True)
class Oven:
    """The oven."""

    heat_c: int = field(default=180, metadata=about("degrees", low=50, high=300))
    mode: Literal["fan", "grill"] = field(default="fan", metadata=about("how it heats"))

    def __post_init__(self) -> None:
        """Refuse a cold grill."""
        if self.mode == "grill" and self.heat_c < 100:
            raise ValueError("a grill needs 100 degrees")


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A kitchen."""

    cook: str = field(metadata=about("who cooks", pattern=r"[a-z]+"))
    oven: Oven = field(default_factory=Oven)


SETTINGS = Settings(
    Kitchen, title="Kitchen", prefix="KITCHEN_", remedy="Ask.", shorthands={"oven": "oven.mode"}
)


def test_nearest_names_and_places_are_told() -> None:
    """A mistake is told with where it stands and what was meant."""
    with pytest.raises(ConfigError) as refusal:
        SETTINGS.parse({"cok": Given("anna", "file.toml"), "oven.heat_c": Given(20, "KITCHEN_OVEN_HEAT_C")})
    assert refusal.value.problems == (
        "file.toml: unknown key 'cok'; did you mean 'cook'?",
        "KITCHEN_OVEN_HEAT_C: oven.heat_c must be at least 50, not 20",
        "cook is missing: who cooks",
    )
    assert refusal.value.remedy == "Ask."


def test_a_rule_over_several_keys_names_its_table() -> None:
    given = {"cook": Given("anna", "f"), "oven.mode": Given("grill", "f"), "oven.heat_c": Given(60, "f")}
    with pytest.raises(ConfigError, match=r"^oven: a grill needs 100 degrees$"):
        SETTINGS.parse(given)


def test_a_table_may_be_one_value() -> None:
    """In the file and in a variable."""
    assert SETTINGS.flatten({"oven": "grill"}, "f") == {"oven.mode": Given("grill", "f")}
    assert SETTINGS.from_environment({"KITCHEN_OVEN": "grill"})["oven.mode"].value == "grill"


def test_an_empty_table_says_nothing() -> None:
    given = SETTINGS.flatten({"cook": "anna", "oven": {}}, "f")
    assert SETTINGS.parse(given) == Kitchen("anna")


def test_variables_of_others_are_left_alone() -> None:
    """Those that look like ours must be ours."""
    assert SETTINGS.from_environment({"PATH": "/bin"}) == {}
    with pytest.raises(ConfigError, match="unknown environment variable KITCHEN_OVN; did you mean"):
        SETTINGS.from_environment({"KITCHEN_OVN": "x"})


def test_a_value_is_found_by_its_path() -> None:
    assert value_at(Kitchen("anna"), "oven.heat_c") == 180
