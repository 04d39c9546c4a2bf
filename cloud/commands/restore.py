"""`topscoop cloud restore`: put a backup back, with the erasures and the frames that came after it."""

import argparse
import json
from pathlib import Path


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `restore` to `topscoop cloud`."""
    parser = verbs.add_parser(
        "restore",
        help="put a backup back; later erasures are applied before anybody serves it",
        description="Stop every service first. Database and state folder become those of the backup, and in"
        " one transaction what S3 knows of the time since is added: consents that ended, frames stored.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="the backup")
    what.add_argument(
        "--erasures-only",
        action="store_true",
        help="restore nothing, but have the keeper erase once more whatever was ever erased: after an older"
        " copy of the consent keys' database was put back",
    )
    parser.add_argument("--force", action="store_true", help="throw away what is there")
    parser.add_argument("--owner-url", metavar="URL", help="PostgreSQL: as for `topscoop cloud setup`")
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Restore; progress goes to standard error."""
    import dataclasses
    import getpass
    import sys

    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.objects.s3_store import S3Store
    from cloud.operations.restore import repeat_erasures, restore

    config = config_of(args)
    if args.owner_url is not None:
        config = dataclasses.replace(config, database_owner_url=args.owner_url)
    objects = S3Store(config.s3)
    if args.erasures_only:
        due = repeat_erasures(config, objects)
        print(
            json.dumps({"erasures_due": due})
            if args.json
            else f"{due} consents: the keeper erases them again"
        )
        return 0
    done = restore(
        config,
        objects,
        args.source,
        now_ms(),
        actor=f"operator:{getpass.getuser()}",
        force=args.force,
        progress=lambda name: print(f"  {name} …", file=sys.stderr, flush=True),
    )
    unknown = sorted(done.reclaimed.unknown_registers)
    document = {
        "backup_made_at_ms": done.manifest.made_at_ms,
        "rows": sum(done.manifest.rows.values()),
        "erasures_due": done.erasures_due,
        "people_erased": done.people_erased,
        "frames_reclaimed": done.reclaimed.frames,
        "frames_unverified": done.reclaimed.unverified,
        "unknown_registers": unknown,
    }
    if args.json:
        print(json.dumps(document))
        return 0
    print(f"{args.source}: {document['rows']} rows")
    print(f"  since then: {done.erasures_due} consents to erase, {done.reclaimed.frames} frames found again")
    if done.people_erased:
        print(f"  {done.people_erased} erasures that people asked for since then, done again")
    if done.reclaimed.unverified:
        print(f"  {done.reclaimed.unverified} versions verify no more; the sweeper deletes them")
    for register in unknown:
        print(f"  {register} was enrolled after the backup: enrol it again; its frames since then are lost")
    print("  next: revoke again what was revoked since then, remove operators again who were removed;")
    print(
        "        topscoop cloud broker sync; start the services. Rollouts are frozen: see which were stopped"
    )
    print("        or returned since then (topscoop rollout list), then topscoop rollout unfreeze")
    return 0
