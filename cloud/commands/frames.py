"""`topscoop cloud frames list|show|export`: what is stored, and the audited way to open it."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud.config import CloudConfig
    from cloud.operations.frames import StoredFrame


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `frames` to `topscoop cloud`."""
    frames = verbs.add_parser("frames", help="list, show and open stored frames", description=__doc__)
    actions = frames.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = actions.add_parser("list", help="list frames; opens nothing")
    show = actions.add_parser("show", help="show one frame's row; opens nothing")
    export = actions.add_parser(
        "export",
        help="open frames and write the pictures to a folder; each opening is audited",
        description="Verify each frame again, open it with its consent's key and write the JPEG. Who opens,"
        " what for and which frame stand in the audit log before the picture exists. Frames whose consent"
        " ended are not opened. The pictures are personal data: delete them when their purpose is met.",
    )
    show.add_argument("frame", metavar="FRAME", help="id of the frame, as `list` shows it")
    export.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="made if it is not there")
    export.add_argument("--purpose", required=True, help="what for; stands in the audit log")
    export.add_argument("--frame", metavar="FRAME", help="this one frame")
    for parser in (listing, export):
        parser.add_argument("--register", help="of this register")
        parser.add_argument("--consent", metavar="ID", help="under this consent")
        parser.add_argument(
            "--since", metavar="TIME", help="stored at or after, such as 2026-11-22T10:00+01:00"
        )
        parser.add_argument("--until", metavar="TIME", help="stored before")
        parser.add_argument(
            "--limit", type=int, default=100, metavar="N", help="at most so many; default: 100"
        )
    listing.add_argument("--erased", action="store_true", help="also those that were erased")
    for parser, run in ((listing, run_list), (show, run_show), (export, run_export)):
        parser.add_argument("--tenant", required=True, help="the chain")
        parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)


def run_list(args: argparse.Namespace) -> int:
    """Print rows, oldest first."""
    from cloud.config_sources import config_of

    rows = [dict(frame.plain()) for frame in _wanted(config_of(args), args)]
    if args.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        erased = f"  erased {row['erased_at']}" if row["erased_at"] else ""
        print(f"{row['frame']}  {row['stored_at']}  {row['register']}  {row['size']} B{erased}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print one row."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.frames import find_frame
    from cloud.operations.tenants import known_tenant
    from cloud.operations.typed_ids import typed_id

    with open_database(config_of(args).database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        row = find_frame(database, args.tenant, typed_id(args.frame, "a frame")).plain()
    if args.json:
        print(json.dumps(row))
        return 0
    for name, value in row.items():
        print(f"{name}: {value}")
    return 0


def run_export(args: argparse.Namespace) -> int:
    """0 when every wanted frame was opened, 1 when one was refused."""
    from cloud.config_sources import config_of
    from cloud.operations.export import export_frames

    config = config_of(args)
    outcome = export_frames(
        config, args.tenant, _wanted(config, args), args.to, args.purpose, progress=not args.json
    )
    if args.json:
        print(json.dumps(outcome.plain()))
    else:
        print(f"{len(outcome.written)} pictures in {args.to}, {len(outcome.refused)} not opened")
    return 1 if outcome.refused else 0


def _wanted(config: "CloudConfig", args: argparse.Namespace) -> Iterator["StoredFrame"]:
    from cloud.database.engine import open_database
    from cloud.operations.frames import FrameFilter, find_frame, list_frames
    from cloud.operations.tenants import known_tenant
    from cloud.operations.typed_ids import typed_id
    from daemon.errors import ConfigError

    if args.limit < 1:
        raise ConfigError("--limit must be 1 or more")
    wanted = FrameFilter(
        register=args.register,
        consent=None if args.consent is None else typed_id(args.consent, "a consent"),
        since_ms=_time_ms(args.since),
        until_ms=_time_ms(args.until),
        erased=getattr(args, "erased", False),
    )
    with open_database(config.database_url) as database:
        database.check()
        known_tenant(database, args.tenant)
        if getattr(args, "frame", None) is not None:
            yield find_frame(database, args.tenant, typed_id(args.frame, "a frame"))
            return
        yield from list_frames(database, args.tenant, wanted, args.limit)


def _time_ms(text: str | None) -> int | None:
    from datetime import UTC, datetime

    from daemon.errors import ConfigError

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time", remedy="Write it as 2026-11-22T10:00+01:00.") from error
    # Without an offset it is UTC, as every time that these commands print.
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
