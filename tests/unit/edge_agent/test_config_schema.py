import jsonschema

from edge_agent.config_schema import json_schema

MINIMAL = {"tenant": "a", "store": "b", "register": "c"}


def test_the_schema_agrees_with_the_parser() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(MINIMAL)
    assert validator.is_valid(MINIMAL | {"camera": "0", "api": {"port": 0}})
    assert validator.is_valid(MINIMAL | {"camera": {"source": "0", "max_age_ms": 50}})
    for wrong in ({"api": {"port": -1}}, {"api": {"prot": 1}}, {"x": 1}, {"tenant": "X"}):
        assert not validator.is_valid(MINIMAL | wrong)
    assert not validator.is_valid({"tenant": "a"})
