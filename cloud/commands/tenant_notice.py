"""`topscoop cloud tenant notice TENANT`: what people read before a picture from their phone may be kept."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.public_api.adapters.notices import KnownNotice
    from wire_protocol.notices import Notice

_LANGUAGE_MAX = 16


def add_parser(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add `notice` to `topscoop cloud tenant`."""
    notice = actions.add_parser(
        "notice",
        help="list or replace the notice for pictures from phones",
        description="List the notices that people read before a picture from their phone may be kept, or "
        "replace one by the chain's own text. {purposes}, {valid_days} and {controller} are filled in. Texts "
        "of before stay known: receipts name them by their SHA-256.",
    )
    notice.add_argument("tenant", metavar="TENANT", help="the chain")
    notice.add_argument("--language", metavar="LANGUAGE", help="of the text in --file, such as de")
    notice.add_argument("--file", metavar="FILE", help="the text (UTF-8)")
    notice.add_argument("--list", action="store_true", help="list every text that is or was shown")
    return notice


def run(args: argparse.Namespace) -> int:
    """List, or replace one and list what is shown then."""
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.operations.tenants import known_tenant
    from cloud.public_api.adapters.notices import known_notices, read_notices
    from daemon.errors import ConfigError

    config = config_of(args)
    replaces = args.file is not None
    if replaces != (args.language is not None) or replaces == args.list:
        raise ConfigError("say --list, or --language and --file together")
    with open_database(config.database_url) as database:
        database.check()
        tenant, _ = known_tenant(database, args.tenant)
        if replaces:
            _replace(args, database, tenant)
        with database.tenant(tenant.tenant, read_only=True) as connection:
            shown = read_notices(connection, tenant.tenant)
            known = known_notices(connection, tenant.tenant)
    documents = _documents(shown, known)
    if args.json:
        print(json.dumps(documents))
        return 0
    for one in documents:
        print(f"{one['language']:<8} {one['sha256'][:16]}  {one['state']}")
        print("  " + one["text"].replace("\n", "\n  "))
    if replaces:
        print("  next: look at it on the chain's own page, /try")
    return 0


def _replace(args: argparse.Namespace, database: Any, tenant: Any) -> None:
    import getpass
    from pathlib import Path

    from cloud.clock import now_ms
    from cloud.database.audit_log import write_audit
    from cloud.public_api.adapters.notices import add_own
    from daemon.errors import ConfigError

    language = args.language.lower()
    if not (language.replace("-", "").isalnum() and language.isascii() and len(language) <= _LANGUAGE_MAX):
        raise ConfigError(f"{args.language!r:.40} is no language", remedy="Such as de or pt-br.")
    try:
        text = Path(args.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{args.file} cannot be read: {error}") from error
    at_ms = now_ms()
    with database.tenant(tenant.tenant) as connection:
        try:
            notice = add_own(connection, tenant, language, text, at_ms)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        write_audit(
            connection,
            tenant.tenant,
            at_ms,
            actor=f"operator:{getpass.getuser()}",
            action="tenant.notice",
            subject=tenant.tenant,
            detail={"language": language, "sha256": notice.sha256.hex()},
        )


def _documents(shown: "list[Notice]", known: "list[KnownNotice]") -> list[dict[str, Any]]:
    own = {one.notice.sha256 for one in known if one.own}
    now = {(one.language, one.sha256) for one in shown}
    documents = [_document(one, "shown, own" if one.sha256 in own else "shown, built in") for one in shown]
    for one in known:
        if (one.notice.language, one.notice.sha256) not in now:
            at_ms = one.replaced_at_ms
            until = "" if at_ms is None else f" until {datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
            documents.append(_document(one.notice, f"shown before{until}"))
    return documents


def _document(notice: "Notice", state: str) -> dict[str, Any]:
    return {
        "language": notice.language,
        "sha256": notice.sha256.hex(),
        "state": state,
        "valid_days": notice.valid_days,
        "text": notice.text,
    }
