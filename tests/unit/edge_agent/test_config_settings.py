import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import ConfigError
from daemon.settings import Given, value_at
from edge_agent.config import EdgeConfig
from edge_agent.config_settings import SETTINGS

MINIMAL = {"tenant": "gelateria-sole", "store": "rimini", "register": "till-1"}
_SAMPLE = Path(__file__).parents[3] / "deploy" / "edge.toml"


def parsed(text: str = "", **environment: str) -> EdgeConfig:
    head = "\n".join(f'{name} = "{value}"' for name, value in MINIMAL.items())
    return SETTINGS.parse(
        SETTINGS.flatten(tomllib.loads(f"{head}\n{text}"), "edge.toml")
        | SETTINGS.from_environment(environment)
    )


def test_three_lines_are_enough() -> None:
    assert parsed() == EdgeConfig(**MINIMAL)


def test_the_environment_wins() -> None:
    config = parsed("[api]\nport = 1", TOPSCOOP_EDGE_API_PORT="2", PATH="/bin")
    assert config.api.port == 2


def test_every_kind_of_value_is_read_from_file_and_environment() -> None:
    from_file = parsed(
        'data_dir = "/d"\ncamera = "synthetic:"\n[presence]\nenabled = true\n[arms]\nexplore = 0\n'
        '[menu]\nbestsellers = ["mango", "mint"]\n[log]\nformat = "json"'
    )
    from_variables = parsed(
        TOPSCOOP_EDGE_DATA_DIR="/d",
        TOPSCOOP_EDGE_CAMERA="synthetic:",
        TOPSCOOP_EDGE_PRESENCE_ENABLED="true",
        TOPSCOOP_EDGE_ARMS_EXPLORE="0",
        TOPSCOOP_EDGE_MENU_BESTSELLERS="mango, mint",
        TOPSCOOP_EDGE_LOG_FORMAT="json",
    )
    assert from_file == from_variables
    assert from_file.data_dir == Path("/d")
    assert from_file.menu.bestsellers == ("mango", "mint")
    assert type(from_file.arms.explore) is float


def test_a_list_in_the_environment_may_be_json() -> None:
    config = parsed(TOPSCOOP_EDGE_MENU_BESTSELLERS='["mango"]')
    assert config.menu.bestsellers == ("mango",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tenat = 1", "unknown key 'tenat'; did you mean 'tenant'"),
        ("[api]\nprot = 1", "unknown key 'api.prot'; did you mean 'api.port'"),
        ("[zebra]\nx = 1", "unknown key 'zebra.x'"),
        ("zebra = {}", "unknown key 'zebra'"),
        ("[api.deep]\nport = 1", "unknown key 'api.deep'"),
        ("[api]\nport = '1'", "api.port must be a whole number, not '1'"),
        ("[api]\nport = true", "api.port must be a whole number, not True"),
        ("[api]\nport = 1.5", "api.port must be a whole number"),
        ("[api]\nport = 65536", "api.port must be at most 65535"),
        ("[api]\nport = -1", "api.port must be at least 0"),
        ("[api]\nhost = '0.0.0.0'", "api.host must be one of 127.0.0.1"),
        ("[arms]\nexplore = nan", "arms.explore must be at least 0, not nan"),
        (
            "[arms]\nexplore = 0.8\nbestsellers = 0.3",
            "arms: shares must be at least 0 and at most 1 together",
        ),
        ("[menu]\nbestsellers = 'mango'", "must be a list of texts"),
        ("[menu]\nbestsellers = [1]", "must be a list of texts"),
        ("[menu]\nbestsellers = ['No Id']", "must match"),
        ("data_dir = ''", "data_dir must not be empty"),
        ("camera = ''", "camera.source must not be empty"),
        ("camera = 3", "camera.source must be a text"),
        ("[presence]\nenabled = 'yes'", "must be true or false"),
        ("[uplink]\nhandover = true", "handover needs handover_url"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        parsed(text)
    assert refusal.value.remedy


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        SETTINGS.parse({"tenant": Given("X", "f"), "nope": Given(1, "f")})
    assert len(refusal.value.problems) == 4, "a bad tenant, an unknown key, and two missing ones"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("TOPSCOOP_EDGE_API_PROT", "1", "did you mean 'TOPSCOOP_EDGE_API_PORT'"),
        ("TOPSCOOP_EDGE_API_PORT", "x", "api.port must be a whole number"),
        ("TOPSCOOP_EDGE_PRESENCE_ENABLED", "1", "must be true or false"),
        ("TOPSCOOP_EDGE_MENU_BESTSELLERS", "[", "must be a JSON list"),
        ("TOPSCOOP_EDGE_STORE", "", "store must match"),
    ],
)
def test_a_mistake_in_the_environment_is_named(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        parsed(**{variable: text})
    assert variable in str(refusal.value)


@pytest.mark.parametrize("text", ["pairing_tokens = ['short-secret']", "pairing_tokens = 'short-secret'"])
def test_a_refused_token_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="pairing_tokens") as refusal:
        parsed(f"[api]\n{text}")
    assert "short-secret" not in str(refusal.value)


def test_variables_have_names_of_their_own() -> None:
    """`a.b_c` and `a_b.c` would be one variable; no two keys are."""
    variables = [SETTINGS.variable(path) for path in SETTINGS.keys]
    variables += [SETTINGS.variable(short) for short in SETTINGS.shorthands]
    assert len(set(variables)) == len(variables)


def test_every_key_says_what_it_means() -> None:
    assert all(key.meaning for key in SETTINGS.keys.values())


def test_the_sample_names_every_key_with_its_default() -> None:
    """Its comments taken away, `deploy/edge.toml` is the defaults, and nothing is missing."""
    lines = []
    for line in _SAMPLE.read_text("utf-8").splitlines():
        name = line.removeprefix("# ").split(" = ")[0]
        is_key = " = " in line and name.isidentifier()
        lines.append(line.removeprefix("# ") if is_key or line.startswith("[") else "")
    table = tomllib.loads("\n".join(lines))
    given = SETTINGS.flatten(table, "sample")
    assert set(given) == set(SETTINGS.keys)
    defaults = EdgeConfig(**MINIMAL)
    shown_differently = {"tenant", "store", "register", "shop_kind", "model_dir", "api.unix_socket"}
    shown_differently |= {"consent.notice_dir", "uplink.handover_url"}
    for path, one in given.items():
        if path not in shown_differently:
            assert SETTINGS.keys[path].check(one.value) == value_at(defaults, path), path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SETTINGS.keys, "x", "api", "camera"]), json_values, max_size=6))
def test_any_values_make_a_configuration_or_a_config_error(values: dict[str, Any]) -> None:
    given_values = {path: Given(value, "test") for path, value in values.items()}
    try:
        config = SETTINGS.parse(given_values)
    except ConfigError:
        return
    assert all(value_at(config, path) is not None for path in values if path in SETTINGS.keys)
