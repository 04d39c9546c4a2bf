"""`topscoop edge config check|show|schema`: what the agent would be told, and by whom."""

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_agent.adapters.config_sources import LoadedConfig


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `config` to `topscoop edge`."""
    config = verbs.add_parser(
        "config",
        help="check or show the configuration",
        description="What the agent is told: a TOML file, and above it variables named TOPSCOOP_EDGE_….",
    )
    actions = config.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = actions.add_parser("check", help="say what is wrong, and nothing else")
    show = actions.add_parser("show", help="print every value and where it comes from")
    for parser in (check, show):
        parser.add_argument("--config", metavar="FILE", help="configuration file (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
    schema = actions.add_parser("schema", help="print the JSON Schema of the file, with every key's meaning")
    schema.add_argument("--json", action="store_true", help="what it prints anyway")
    check.set_defaults(run=run_check)
    show.set_defaults(run=run_show)
    schema.set_defaults(run=run_schema)


def run_check(args: argparse.Namespace) -> int:
    """0 when the agent would start with this configuration."""
    from daemon.errors import ConfigError
    from edge_agent.camera_spec import parse_camera_spec

    try:
        loaded = _load(args)
        parse_camera_spec(loaded.config.camera.source)
    except ConfigError as error:
        if not args.json:
            raise
        print(json.dumps({"ok": False, "problems": list(error.problems), "remedy": error.remedy}))
        return 2
    config = loaded.config
    if args.json:
        print(json.dumps({"ok": True, "file": None if loaded.file is None else str(loaded.file)}))
    else:
        place = loaded.file or "the environment"
        print(f"{place}: register {config.register} of store {config.store}, chain {config.tenant}: good")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the values; secrets are counted, not shown."""
    from daemon.settings import value_at
    from daemon.settings_key import plain
    from edge_agent.camera_spec import parse_camera_spec
    from edge_agent.config_settings import SETTINGS

    loaded = _load(args)
    rows: dict[str, dict[str, Any]] = {}
    for path, key in SETTINGS.keys.items():
        value = plain(value_at(loaded.config, path))
        shown = f"({len(value)} set)" if key.secret else value
        if path == "camera.source":
            shown = str(parse_camera_spec(value))  # without the password that an address may hold
        rows[path] = {"value": shown, "from": loaded.origins[path]}
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    lines = [(f"{path} = {_toml(row['value'])}", row["from"]) for path, row in rows.items()]
    width = max(len(line) for line, _ in lines)
    for line, origin in lines:
        print(f"{line:<{width}}  # {origin}")
    return 0


def run_schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from daemon.settings_schema import json_schema
    from edge_agent.config_settings import SETTINGS

    print(json.dumps(json_schema(SETTINGS), indent=1, ensure_ascii=False))
    return 0


def _load(args: argparse.Namespace) -> "LoadedConfig":
    import os

    from edge_agent.adapters.config_sources import load_config

    return load_config(args.config, os.environ)


def _toml(value: Any) -> str:
    """A value as the file has it; JSON writes texts, numbers, truth and lists the same way."""
    return "(not set)" if value is None else json.dumps(value, ensure_ascii=False)
