"""A chain's fleet as rows, made up but consistent: for pages, and for their times."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from cloud.database.schema import (
    certificates,
    desired_states,
    register_groups,
    register_health,
    registers,
    releases,
    repositories,
)

if TYPE_CHECKING:
    from cloud.database.engine import Database

DAY_MS = 86_400_000
FLAVOURS = ("vanilla", "chocolate", "strawberry", "hazelnut", "pistachio", "lemon", "mango", "amarena")


def digest_of(release: int) -> str:
    """A digest that belongs to this release alone."""
    return hashlib.sha256(f"release {release}".encode()).hexdigest()


def add_releases(
    database: Database,
    tenant: str,
    now_ms: int,
    *numbers: int,
    flavour: str | None = None,
    withdrawn: int | None = None,
) -> None:
    """List these releases, as the look at the signed repository would; `flavour` is the first one's name."""
    names = [flavour or "Vanilla", *(one.title() for one in FLAVOURS[1:])]
    rows = []
    for number in numbers:
        report = {
            "orders": 3601,
            "hit_at_3": 0.68 + number / 500,
            "best_sellers": 0.531,
            "context_only": 0.551,
            "int8_loss_points": 0.03,
            "calibration_error": 0.007,
            "p50_ms": 0.25,
            "p99_ms": 0.32,
            "unchanged": {"all": 0.955, "age": 0.99, "mood": 0.967, "skin": 0.943},
            "signer": "registry of the chain",
            "published": "2026-11-22T16:10:00Z",
        }
        rows.append(
            {
                "tenant": tenant,
                "release": number,
                "name": f"{tenant}-small",
                "version": f"2026.11.{number}",
                "digest": digest_of(number),
                "target": f"releases/{number}/model.onnx",
                "bytes": 1_167_582,
                "budget_p99_ms": 10.0,
                "minimum_agent": "0.1.0",
                "manifest": {
                    "name": f"{tenant}-small",
                    "version": f"2026.11.{number}",
                    "created": "2026-11-22T16:02:27Z",
                    "flavours": [
                        {"id": one, "names": {"en": name}} for one, name in zip(FLAVOURS, names, strict=True)
                    ],
                    "dataset": {"digest": "sha256:" + digest_of(number + 1000), "interactions": 89_825},
                    "latency_budget_ms": {"p99": 10.0},
                    "model": {"precision": "int8", "bytes": 1_167_582},
                },
                "report": report,
                "listed_at_ms": now_ms - (max(numbers) - number + 1) * DAY_MS,
                "withdrawn_at_ms": now_ms - DAY_MS // 2 if number == withdrawn else None,
                "withdrawn_reason": "wrong labels in its data" if number == withdrawn else None,
            }
        )
    with database.tenant(tenant) as connection:
        connection.execute(insert(releases), rows)
        connection.execute(
            insert(repositories).values(
                tenant=tenant,
                root=b"{}",
                trusted_at_ms=now_ms - 30 * DAY_MS,
                checked_at_ms=now_ms - 20_000,
                root_version=1,
                targets_version=len(numbers),
                expires_at_ms=now_ms + 6 * DAY_MS,
                minimum_release=min(numbers),
                champion=max(numbers),
            )
        )


def add_fleet(
    database: Database,
    tenant: str,
    now_ms: int,
    count: int,
    *,
    running: int = 7,
    desired: int = 8,
    seed: int = 1,
) -> None:
    """Add registers, most of them well: some offline, silent, updating, failing, or never heard of."""
    draw = random.Random(seed)
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (registers, register_health, desired_states, certificates, register_groups)
    }
    for index in range(count):
        key = {"tenant": tenant, "register": f"till-{index + 1:05d}"}
        store = f"store-{index // 4 + 1:04d}"
        kind = draw.random()
        enrolled_at_ms = now_ms - draw.randrange(40, 400) * DAY_MS
        rows[registers].append(
            {
                **key,
                "store": store,
                "state": "invited" if kind > 0.995 else "enrolled",
                "created_at_ms": enrolled_at_ms - DAY_MS,
                "enrolled_at_ms": None if kind > 0.995 else enrolled_at_ms,
                "seen_at_ms": now_ms - 60_000,
            }
        )
        if kind > 0.99:
            continue
        updated = draw.random() < 0.4
        release = desired if updated else running
        received = now_ms - draw.randrange(1, 280) * 1000
        rows[register_health].append(
            _health(
                key,
                draw,
                kind,
                release=release,
                desired=desired,
                received_at_ms=received,
                now_ms=now_ms,
                updated=updated,
            )
        )
        rows[desired_states].append(
            {
                **key,
                "generation": 4,
                "release": desired,
                "digest": digest_of(desired),
                "settings": {},
                "set_at_ms": now_ms - 3_600_000,
                "published_generation": 4,
            }
        )
        rows[certificates].append(
            {
                **key,
                "serial": f"{index + 1:016x}",
                "not_before_ms": now_ms - 30 * DAY_MS,
                "not_after_ms": now_ms + 60 * DAY_MS,
            }
        )
        if index % 10 == 0:
            rows[register_groups].append({**key, "group": "pilot"})
    with database.tenant(tenant) as connection:
        for table, values in rows.items():
            if values:
                connection.execute(insert(table), values)


def _health(
    key: dict[str, str],
    draw: random.Random,
    kind: float,
    *,
    release: int,
    desired: int,
    received_at_ms: int,
    now_ms: int,
    updated: bool,
) -> dict[str, Any]:
    state = "good" if updated else draw.choice(["fetching", "preflight", "waiting"])
    reason = "unreachable" if state == "waiting" else None
    if kind < 0.01:
        state, reason = "refused", "too-slow"
    if kind > 0.95:
        received_at_ms -= DAY_MS
    p99 = draw.uniform(0.4, 3.2)
    certificate = now_ms + draw.randrange(31, 89) * DAY_MS
    if 0.02 < kind < 0.03:
        certificate = now_ms + 5 * DAY_MS
    recommendations = draw.randrange(400, 9000)
    report = {
        "agent_version": "0.1.0",
        "at": received_at_ms - 100,
        "uptime_s": draw.randrange(60, 900_000),
        "blanks_left": 412,
        "blanks_wanted": 0,
        "spooled_messages": 0,
        "spooled_bytes": 0,
        "counters": [{"name": "frames_dropped", "value": 3}],
        "model_digest": digest_of(release),
        "model_version": f"2026.11.{release}",
        "generation": 4,
        "release": release,
        "certificate_until": certificate,
        "camera": "good",
        "update": {
            "transaction": "00" * 16,
            "release": desired,
            "state": state,
            "at": received_at_ms,
            "fetched_bytes": 1_167_582 if updated else 460_000,
            "total_bytes": 1_167_582,
            "reason": reason,
            "words": None,
        },
        "metadata": {
            "root": 1,
            "timestamp": 41,
            "snapshot": 12,
            "targets": 8,
            "expires_at": now_ms + 6 * DAY_MS,
            "floor": 1,
        },
        "health": {
            "since": now_ms - 3 * DAY_MS,
            "recommendations": recommendations,
            "errors": 0,
            "crashes": 0,
            "nobody": 31,
            "p50_ms": p99 / 2,
            "p99_ms": p99,
            "confidence": [0, 4, 60, 240, 310, 220, 120, 60, 20, 4],
            "labels": [140, 220, 300, 80, 120, 60, 90, 28],
        },
        "shadow": {
            "release": desired,
            "digest": digest_of(desired),
            "compared": 812,
            "same_first": 701,
            "same_three": 640,
            "errors": 0,
            "p99_ms": 0.9,
        }
        if not updated
        else None,
    }
    return {
        **key,
        "received_at_ms": received_at_ms,
        "reported_at_ms": received_at_ms - 100,
        "sequence": 17,
        "online": not 0.95 < kind <= 0.98,
        "online_since_ms": received_at_ms - 7_200_000,
        "agent_version": "0.1.0",
        "running_release": release,
        "running_digest": digest_of(release),
        "generation": 4,
        "update_release": desired,
        "update_state": state,
        "update_reason": reason,
        "p50_ms": p99 / 2,
        "p99_ms": p99,
        "recommendations": recommendations,
        "errors": 0,
        "crashes": 0,
        "spooled_messages": 0 if kind < 0.9 else draw.randrange(1, 3000),
        "spooled_bytes": 0,
        "blanks_left": draw.randrange(20, 2000),
        "certificate_until_ms": certificate,
        "metadata_expires_at_ms": now_ms + 6 * DAY_MS,
        "report": report,
    }
