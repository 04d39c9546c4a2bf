"""`topscoop cloud config check|show|schema`: what the services would be told, and by whom."""

import argparse
import json
from typing import Any


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `config` to `topscoop cloud`."""
    config = verbs.add_parser(
        "config",
        help="check or show the configuration",
        description="What the services are told: a TOML file, and above it variables named TOPSCOOP_CLOUD_….",
    )
    actions = config.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = actions.add_parser("check", help="say what is wrong, and nothing else")
    show = actions.add_parser("show", help="print every value and where it comes from")
    for parser in (check, show):
        parser.add_argument("--config", metavar="FILE", help="configuration file (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
    schema = actions.add_parser("schema", help="print the JSON Schema of the file, with every key's meaning")
    schema.add_argument("--json", action="store_true", help="what it prints anyway")
    schema.add_argument("--markdown", action="store_true", help="print the documentation's table instead")
    check.set_defaults(run=run_check)
    show.set_defaults(run=run_show)
    schema.set_defaults(run=run_schema)


def run_check(args: argparse.Namespace) -> int:
    """0 when the services would start with this configuration."""
    import os

    from cloud.config_sources import load_config
    from cloud.stand_ins import check_stand_ins
    from daemon.errors import ConfigError
    from wire_protocol.errors import OperatorError

    try:
        loaded = load_config(args.config, os.environ)
        used = check_stand_ins(loaded.config)
        if loaded.config.master_key.kind == "kms" and loaded.config.master_key.kms_key_id is None:
            raise ConfigError(
                "master_key.kms_key_id is not set",
                remedy='Name the key in KMS; for development alone: master_key.kind = "file".',
            )
    except OperatorError as error:
        if not args.json:
            raise
        problems = list(error.problems) if isinstance(error, ConfigError) else [str(error)]
        print(json.dumps({"ok": False, "problems": problems, "remedy": error.remedy}))
        return 2
    place = None if loaded.file is None else str(loaded.file)
    if args.json:
        print(json.dumps({"ok": True, "file": place, "stand_ins": list(used)}))
        return 0
    print(
        f"{place or 'the environment'}: {loaded.config.environment}, bucket {loaded.config.s3.bucket}: good"
    )
    for one in used:
        print(f"  stand-in, for development only: {one}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the values; of secrets only whether they are set."""
    import os

    from cloud.config_settings import SETTINGS
    from cloud.config_sources import load_config
    from daemon.settings import value_at
    from daemon.settings_key import plain

    loaded = load_config(args.config, os.environ)
    rows: dict[str, dict[str, Any]] = {}
    for path, key in SETTINGS.keys.items():
        value = plain(value_at(loaded.config, path))
        rows[path] = {
            "value": _without_password(value) if key.secret else value,
            "from": loaded.origins[path],
        }
    if args.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    lines = [(f"{path} = {_toml(row['value'])}", row["from"]) for path, row in rows.items()]
    width = max(len(line) for line, _ in lines)
    for line, origin in lines:
        print(f"{line:<{width}}  # {origin}")
    return 0


def run_schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from cloud.config_settings import SETTINGS
    from daemon.settings_schema import json_schema, markdown_table

    if args.markdown:
        print(markdown_table(SETTINGS), end="")
        return 0
    print(json.dumps(json_schema(SETTINGS), indent=1, ensure_ascii=False))
    return 0


def _without_password(value: str | None) -> str | None:
    """A file's address as it is; of everything else only that it is set."""
    return value if value is None or value.startswith("sqlite:") else "(set)"


def _toml(value: Any) -> str:
    """A value as the file has it; JSON writes texts, numbers and truth the same way."""
    return "(not set)" if value is None else json.dumps(value, ensure_ascii=False)
