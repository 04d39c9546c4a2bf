"""What `topscoop edge doctor` thinks of the register's releases; pure, so that each judgement is one test."""

from edge_agent.checkup import Finding, Verdict
from edge_agent.updates.advice import ADVICE
from edge_agent.updates.choice import Source, candidates
from edge_agent.updates.facts import Facts
from wire_protocol.fleet_messages import UpdateReason, UpdateState

_MS_PER_DAY = 86_400_000
_TROUBLE = frozenset({UpdateState.BAD, UpdateState.REFUSED, UpdateState.WAITING})


def judge_trust(facts: Facts, *, root_there: bool) -> Finding:
    """The root of trust."""
    if root_there:
        return Finding("trust", Verdict.OK, "the root of trust for releases is here")
    said = "there is no root of trust for releases"
    if facts.order is None or facts.order.release is None:
        return Finding("trust", Verdict.OK, f"{said}; no release is wanted either")
    return Finding(
        "trust",
        Verdict.FAILED,
        f"{said}, but release {facts.order.release} is wanted",
        "`topscoop cloud tenant trust` gives it to the chain, the next renewal to this register.",
    )


def judge_metadata(facts: Facts, now_ms: int) -> Finding:
    """The age of the signed metadata; its end stops no running model."""
    listing = facts.listing
    if listing is None:
        return Finding("metadata", Verdict.OK, "none was verified here yet")
    days = (listing.metadata.expires_at - now_ms) / _MS_PER_DAY
    which = f"targets version {listing.metadata.targets}, {len(listing.releases)} releases"
    if days >= 0:
        return Finding("metadata", Verdict.OK, f"{which}, good for {days:.0f} days")
    said = f"{which}, ended {-days:.0f} days ago"
    reason = None if facts.attempt is None else facts.attempt.reason
    if reason in {UpdateReason.METADATA_EXPIRED, UpdateReason.CLOCK}:
        return Finding("metadata", Verdict.WARNING, said, ADVICE[reason].remedy)
    return Finding("metadata", Verdict.OK, f"{said}; the next order brings newer")


def judge_releases(facts: Facts) -> Finding:
    """What runs, and how the newest update went."""
    choice = candidates(facts)[0]
    said = {
        Source.RELEASE: f"release {choice.release}",
        Source.INSTALLED: "the installed model",
        Source.BESTSELLERS: "best-sellers only",
    }[choice.source]
    if choice.slot is not None:
        said += f" ({choice.slot.verdict})"
    others = [f"{one.release} {one.verdict}" for one in facts.slots if one.release != choice.release]
    if others:
        said += f"; also {', '.join(others)}"
    if facts.floor:
        said += f"; nothing below {facts.floor}"
    if facts.is_held:
        said += "; a person went back"
    attempt = facts.attempt
    if attempt is not None and attempt.state in _TROUBLE and attempt.reason is not None:
        return Finding(
            "releases",
            Verdict.WARNING,
            f"{said}; release {attempt.release} is {attempt.state}: {attempt.words or attempt.reason}",
            ADVICE[attempt.reason].remedy,
        )
    if choice.source is Source.BESTSELLERS:
        return Finding(
            "releases", Verdict.WARNING, said, "Roll out a release at or above the chain's minimum."
        )
    return Finding("releases", Verdict.OK, said)
