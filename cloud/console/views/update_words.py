"""What a register's update and model are called, for people: one closed list of words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wire_protocol.fleet_messages import UpdateReason, UpdateState

UPDATE_WORDS: Final[Mapping[UpdateState, tuple[str, str]]] = {
    UpdateState.IDLE: ("nothing to do", "quiet"),
    UpdateState.FETCHING: ("fetching", "info"),
    UpdateState.PREFLIGHT: ("being tried out", "info"),
    UpdateState.TRIAL: ("on trial", "info"),
    UpdateState.GOOD: ("passed its trial", "good"),
    UpdateState.BAD: ("returned", "bad"),
    UpdateState.REFUSED: ("refused", "bad"),
    UpdateState.WAITING: ("waiting", "warn"),
}
REASON_WORDS: Final[Mapping[UpdateReason, str]] = {
    UpdateReason.UNTRUSTED: "the chain's keys did not sign it",
    UpdateReason.METADATA_EXPIRED: "the signed list of releases has expired",
    UpdateReason.CLOCK: "the till's clock is off",
    UpdateReason.NOT_LISTED: "no such release is listed",
    UpdateReason.WITHDRAWN: "the release was withdrawn",
    UpdateReason.BELOW_FLOOR: "the release is below the chain's minimum",
    UpdateReason.AGENT_TOO_OLD: "the agent is too old for it",
    UpdateReason.OTHER_CHAIN: "the release is of another chain",
    UpdateReason.DIGEST_MISMATCH: "its bytes are not the ones that were signed",
    UpdateReason.NOT_A_MODEL: "the file is no model that may run",
    UpdateReason.WRONG_CONTRACT: "the model does not keep the contract",
    UpdateReason.BROKEN_ANSWER: "the model gives impossible answers",
    UpdateReason.GOLDEN_MISMATCH: "the model answers the golden frames otherwise than it should",
    UpdateReason.TOO_SLOW: "too slow on this till",
    UpdateReason.TOO_LARGE: "it needs more memory than it may take",
    UpdateReason.CRASHED: "it crashed",
    UpdateReason.ERRORS: "too many of its recommendations failed",
    UpdateReason.NO_ROOM: "no room on the disk",
    UpdateReason.DISK: "the disk failed",
    UpdateReason.UNREACHABLE: "the file service did not answer",
    UpdateReason.RETURNED: "the release before was wanted back",
}


def reason_words(reason: str | None) -> str:
    """An update's reason for people; what we do not know is said as it came."""
    if reason is None:
        return ""
    known = {one.value: words for one, words in REASON_WORDS.items()}
    return known.get(reason, reason)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What runs on a register, what shall run, and how far that has come.

    Attributes:
        attested: Whether any report ever came.
        running_digest: Of the network in its memory; None: best-sellers.
        desired_known: Whether anything was ever desired of it.
        desired_release: None: the model that it was installed with.
    """

    attested: bool
    running_digest: str | None
    desired_known: bool
    desired_release: int | None
    desired_digest: str | None
    update_release: int | None
    update_state: str | None
    update_reason: str | None


def model_verdict(facts: ModelFacts) -> tuple[str, str]:
    """Whether what runs is what is desired: words, and the kind of badge."""
    if not facts.desired_known:
        return ("nothing desired", "quiet")
    wanted = "the installed model" if facts.desired_release is None else f"release {facts.desired_release}"
    if not facts.attested:
        return (f"{wanted} desired", "warn")
    about_it = facts.update_release is not None and facts.update_release == facts.desired_release
    state = UpdateState(facts.update_state) if about_it and facts.update_state in set(UpdateState) else None
    if state in {UpdateState.BAD, UpdateState.REFUSED}:
        why = reason_words(facts.update_reason)
        return (f"{wanted} {UPDATE_WORDS[state][0]}" + (f": {why}" if why else ""), "bad")
    if facts.desired_digest is None:
        return ("as installed", "quiet")
    if facts.running_digest == facts.desired_digest:
        return ("on trial", "info") if state is UpdateState.TRIAL else ("as desired", "good")
    return (f"{wanted} {UPDATE_WORDS[state][0]}", "info") if state else (f"{wanted} desired", "warn")
