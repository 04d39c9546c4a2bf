"""What may stand in the configuration, and how a mistake in it is told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.config import CloudConfig
from cloud.config_settings import SETTINGS
from daemon.errors import ConfigError
from daemon.settings import Given, value_at
from daemon.settings_schema import json_schema, markdown_table

_ROOT = Path(__file__).parents[3]


def parsed(text: str = "", **environment: str) -> CloudConfig:
    return SETTINGS.parse(
        SETTINGS.flatten(tomllib.loads(text), "cloud.toml") | SETTINGS.from_environment(environment)
    )


def test_nothing_has_to_be_said() -> None:
    """Production with SQLite in the state folder is the default."""
    config = parsed()
    assert config == CloudConfig()
    assert not config.development
    assert config.database_url == "sqlite:////var/lib/topscoop-cloud/cloud.sqlite3"


def test_the_databases_lie_in_the_state_folder_that_is_named() -> None:
    config = parsed('state_dir = "/srv/x"')
    assert (config.database_url, config.keys_url) == (
        "sqlite:////srv/x/cloud.sqlite3",
        "sqlite:////srv/x/keys.sqlite3",
    )


def test_keys_and_data_need_databases_of_their_own() -> None:
    """T26: one backup must never hold both."""
    with pytest.raises(ConfigError, match="another database"):
        parsed('keys_url = "sqlite:///{state_dir}/cloud.sqlite3"')


@pytest.mark.parametrize("gateways", ["10.0.0.0/33", "10.0.0.1:80", "10.0.0", "::1::", "10.0.0.1;10.0.0.2"])
def test_a_gateway_that_is_no_address_is_told_at_the_start(gateways: str) -> None:
    """T27: a slip there would count all the world as one address, or believe anybody."""
    with pytest.raises(ConfigError, match=r"public_api.*gateways"):
        parsed(f'[public_api]\ngateways = "{gateways}"')


def test_gateways_are_addresses_and_networks() -> None:
    config = parsed('[public_api]\ngateways = "10.0.0.0/8, 192.0.2.7,, ::1"')
    assert [str(one) for one in config.public_api.gateway_networks] == [
        "10.0.0.0/8",
        "192.0.2.7/32",
        "::1/128",
    ]


def test_the_environment_wins() -> None:
    config = parsed("[collector]\nin_flight = 1", TOPSCOOP_CLOUD_COLLECTOR_IN_FLIGHT="2", PATH="/bin")
    assert config.collector.in_flight == 2


def test_every_kind_of_value_is_read_from_file_and_environment() -> None:
    from_file = parsed(
        'state_dir = "/d"\n[s3]\nconnect_timeout_s = 3\nemulated = true\n[collector]\nbatch_max = 9\n'
        '[log]\nformat = "json"'
    )
    from_variables = parsed(
        TOPSCOOP_CLOUD_STATE_DIR="/d",
        TOPSCOOP_CLOUD_S3_CONNECT_TIMEOUT_S="3",
        TOPSCOOP_CLOUD_S3_EMULATED="true",
        TOPSCOOP_CLOUD_COLLECTOR_BATCH_MAX="9",
        TOPSCOOP_CLOUD_LOG_FORMAT="json",
    )
    assert from_file == from_variables
    assert type(from_file.s3.connect_timeout_s) is float


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("enviroment = 'production'", "unknown key 'enviroment'; did you mean 'environment'"),
        ("[s3]\nbuket = 'x'", "unknown key 's3.buket'; did you mean 's3.bucket'"),
        ("[zebra]\nx = 1", "unknown key 'zebra.x'"),
        ("zebra = {}", "unknown key 'zebra'"),
        ("[s3.deep]\nbucket = 'x'", "unknown key 's3.deep'"),
        ("environment = 'staging'", "environment must be one of production, development"),
        ("database_url = 'mysql://x'", "database_url must match"),
        ("[s3]\nbucket = 'No_Bucket'", "s3.bucket must match"),
        ("[mqtt]\nport = '1'", "mqtt.port must be a whole number, not '1'"),
        ("[mqtt]\nport = true", "mqtt.port must be a whole number, not True"),
        ("[mqtt]\nport = 0", "mqtt.port must be at least 1"),
        ("[mqtt]\nport = 65536", "mqtt.port must be at most 65535"),
        ("[mqtt]\ntls = 'no'", "mqtt.tls must be true or false"),
        ("[s3]\nconnect_timeout_s = nan", "s3.connect_timeout_s must be at least 0.1, not nan"),
        ("state_dir = ''", "state_dir must not be empty"),
        ("state_dir = 7", "state_dir must be a path"),
        ("[s3]\naccess_key = 'x'", "s3: access_key and secret_key belong together"),
        ("[mqtt]\nkey_file = 'x'", "mqtt: certificate_file and key_file belong together"),
        ("[enrolment]\npublic_url = 'http://plain'", "enrolment.public_url must match"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refusal:
        parsed(text)
    assert refusal.value.remedy


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        SETTINGS.parse({"environment": Given("X", "f"), "nope": Given(1, "f")})
    assert len(refusal.value.problems) == 2


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("TOPSCOOP_CLOUD_S3_BUKET", "x", "did you mean 'TOPSCOOP_CLOUD_S3_BUCKET'"),
        ("TOPSCOOP_CLOUD_MQTT_PORT", "x", "mqtt.port must be a whole number"),
        ("TOPSCOOP_CLOUD_MQTT_TLS", "1", "must be true or false"),
    ],
)
def test_a_mistake_in_the_environment_is_named(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refusal:
        parsed(**{variable: text})
    assert variable in str(refusal.value)


def test_a_refused_secret_is_not_repeated() -> None:
    """Neither passwords in a database's address nor keys."""
    with pytest.raises(ConfigError) as refusal:
        parsed('database_url = "mysql://me:hunter2@x"\n[s3]\nsecret_key = ""')
    assert "hunter2" not in str(refusal.value)


def test_variables_have_names_of_their_own() -> None:
    """`a.b_c` and `a_b.c` would be one variable; no two keys are."""
    variables = [SETTINGS.variable(path) for path in SETTINGS.keys]
    assert len(set(variables)) == len(variables)


def test_every_key_says_what_it_means() -> None:
    assert all(key.meaning for key in SETTINGS.keys.values())


def test_the_schema_has_every_key() -> None:
    properties = json_schema(SETTINGS)["properties"]
    for path in SETTINGS.keys:
        table, _, name = path.rpartition(".")
        assert name in (properties[table]["properties"] if table else properties)
    assert set(SETTINGS.tables) < set(properties)


def test_the_page_lists_every_key() -> None:
    """docs/cloud-config.md holds what `topscoop cloud config schema --markdown` prints."""
    assert markdown_table(SETTINGS) in (_ROOT / "docs" / "cloud-config.md").read_text("utf-8")


def test_the_sample_names_every_key_with_its_default() -> None:
    """Its comments taken away, `deploy/cloud.toml` is the defaults and examples, and nothing is missing."""
    lines = []
    for line in (_ROOT / "deploy" / "cloud.toml").read_text("utf-8").splitlines():
        name = line.removeprefix("# ").split(" = ")[0]
        is_key = " = " in line and name.isidentifier()
        lines.append(line.removeprefix("# ") if is_key or line.startswith("[") else "")
    sample = SETTINGS.flatten(tomllib.loads("\n".join(lines)), "sample")
    assert set(sample) == set(SETTINGS.keys)
    for path, one in sample.items():
        checked = SETTINGS.keys[path].check(one.value)
        assert SETTINGS.keys[path].default in {None, checked}, path


def test_the_sample_as_it_stands_is_the_default() -> None:
    text = (_ROOT / "deploy" / "cloud.toml").read_text("utf-8")
    assert parsed(text) == CloudConfig()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SETTINGS.keys, "x", "s3"]), json_values, max_size=6))
def test_any_values_make_a_configuration_or_a_config_error(values: dict[str, Any]) -> None:
    try:
        config = SETTINGS.parse({path: Given(value, "test") for path, value in values.items()})
    except ConfigError:
        return
    assert all(value_at(config, path) is not None for path in values if path in SETTINGS.keys)
