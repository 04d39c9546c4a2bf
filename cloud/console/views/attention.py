"""What needs somebody's attention now, in sentences that lead to where it is done. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cloud.console.words import ago, count, duration
from cloud.rollout.values import State

SILENT_AFTER_MS: Final = 15 * 60_000
"""A register reports every few minutes; one that did not for so long is looked at."""
CERTIFICATE_WARN_MS: Final = 14 * 86_400_000
"""A register renews at two thirds of 90 days: one with less than 14 days has failed at it."""
METADATA_WARN_MS: Final = 3 * 86_400_000
"""The timestamp is renewed daily and lives seven days."""
BLANKS_FEW: Final = 50
"""Fewer consent blanks are less than an afternoon's customers."""
SPOOL_MANY: Final = 1000
"""So many unsent messages are no short cut of the line."""


@dataclass(frozen=True, slots=True)
class OpenRollout:
    """A rollout that is not over, as the overview needs it."""

    rollout: bytes
    release: int
    state: State
    stage: int
    stages: int
    waits_for_person: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a chain now; counts of enrolled registers unless it says otherwise.

    Attributes:
        invited: Registers whose code was not used yet.
        never: Enrolled, and no report ever.
        silent: Reported once, and not within SILENT_AFTER_MS.
        stale_registers: Those whose own copy of the metadata has expired: they take no new release.
        releases: That are listed and not withdrawn.
        trusted: Whether the chain's root of trust was set.
        refused_today: Messages.
        unapproved: Drafts that wait for a second person.
    """

    now_ms: int
    enrolled: int = 0
    invited: int = 0
    never: int = 0
    silent: int = 0
    certificates: int = 0
    expired_certificates: int = 0
    few_blanks: int = 0
    full_spools: int = 0
    stale_registers: int = 0
    failed_updates: int = 0
    releases: int = 0
    trusted: bool = False
    repository_problem: str | None = None
    metadata_expires_at_ms: int | None = None
    refused_today: int = 0
    set_aside: int = 0
    erasures_waiting: int = 0
    rollouts: tuple[OpenRollout, ...] = ()
    unapproved: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence; `kind` as a badge's."""

    kind: str
    words: str
    href: str
    link: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a chain that has just begun does next; `command` is typed on the server."""

    title: str
    words: str
    command: str


def next_step(facts: Facts, tenant: str) -> NextStep | None:
    """The first thing that is still missing; None where a rollout could be planned."""
    if not facts.enrolled + facts.invited:
        return NextStep(
            "No registers yet",
            "Add the first one, then enter its code on the till; docs/enrolment.md has every step.",
            f"topscoop cloud register add --tenant {tenant} --store store-1",
        )
    if not facts.trusted:
        return NextStep(
            "No trusted keys yet",
            "Make the chain's release keys and tell the cloud its root; registers get it at enrolment.",
            f"topscoop cloud tenant trust {tenant} root.json",
        )
    if not facts.releases:
        return NextStep(
            "No releases yet",
            "Sign a model and publish it; it is seen here within a minute.",
            "topscoop model publish models/mine --release 1 --store STORE --keys KEYS",
        )
    return None


def attention(facts: Facts) -> list[Item]:
    """What to look at, the worst first; empty where all is well."""
    found = [*_rollouts(facts), *_repository(facts), *_registers(facts), *_messages(facts)]
    order = {"bad": 0, "warn": 1, "info": 2}
    return sorted(found, key=lambda item: order[item.kind])


def _rollouts(facts: Facts) -> list[Item]:
    items = []
    for one in facts.rollouts:
        name, href = f"Release {one.release}", f"/rollouts/{one.rollout.hex()}"
        if one.state is State.RETURNING:
            why = f": {one.reason}" if one.reason else ""
            items.append(Item("bad", f"{name} is going back{why}", href, "Look at it"))
        elif one.state is State.PAUSED:
            items.append(Item("warn", f"{name} is paused in stage {one.stage + 1}", href, "Resume or return"))
        elif one.waits_for_person:
            words = f"{name} has passed stage {one.stage + 1} of {one.stages} and waits for a person"
            items.append(Item("warn", words, href, "Promote it"))
        elif one.state is State.RUNNING:
            words = f"{name} is in stage {one.stage + 1} of {one.stages}"
            items.append(Item("info", words, href, "Follow it"))
    if facts.unapproved:
        words = f"{count(facts.unapproved, 'planned rollout')} {_verb(facts.unapproved)} for a second person"
        items.append(Item("warn", words, "/rollouts", "Approve"))
    return items


def _repository(facts: Facts) -> list[Item]:
    if not facts.trusted:
        return []
    if facts.repository_problem:
        words = f"The signed releases cannot be read: {facts.repository_problem}"
        return [Item("bad", words, "/releases", "Releases")]
    expires = facts.metadata_expires_at_ms
    if expires is None or expires - facts.now_ms > METADATA_WARN_MS:
        return []
    if expires <= facts.now_ms:
        words = f"Signed metadata expired {ago(expires, facts.now_ms)}: registers take no new release"
        return [Item("bad", words, "/releases", "Renew it")]
    left = duration((expires - facts.now_ms) / 1000)
    return [Item("warn", f"Signed metadata expires in {left}", "/releases", "Renew it")]


def _registers(facts: Facts) -> list[Item]:
    rows = (
        ("bad", facts.expired_certificates, "with an expired certificate", "certificate-expired"),
        ("bad", facts.failed_updates, "that did not take their release", "update-failed"),
        ("warn", facts.silent, f"silent for more than {duration(SILENT_AFTER_MS / 1000)}", "silent"),
        ("warn", facts.never, "enrolled and never heard of", "never"),
        ("warn", facts.certificates, "whose certificate ends within two weeks", "certificate"),
        ("warn", facts.stale_registers, "whose copy of the signed metadata has expired", "metadata"),
        ("warn", facts.few_blanks, "with few consent blanks left", "blanks"),
        ("warn", facts.full_spools, "with much unsent", "spool"),
    )
    return [
        Item(kind, f"{count(number, 'register')} {words}", f"/fleet?attention={quote(name)}", "Show them")
        for kind, number, words, name in rows
        if number
    ]


def _messages(facts: Facts) -> list[Item]:
    items = []
    if facts.set_aside:
        words = f"{count(facts.set_aside, 'message')} in quarantine: handling failed three times"
        items.append(Item("bad", words, "/frames#quarantine", "Look at them"))
    if facts.refused_today:
        words = f"{count(facts.refused_today, 'message')} refused today"
        items.append(Item("warn", words, "/frames#refused", "See why"))
    if facts.erasures_waiting:
        words = f"{count(facts.erasures_waiting, 'erasure')} not finished yet"
        items.append(Item("info", words, "/frames#consents", "Consents"))
    return items


def _verb(number: int) -> str:
    return "waits" if number == 1 else "wait"
