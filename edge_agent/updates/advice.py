"""What to do about each reason why a release does not run, and whether it may pass by itself. Pure."""

from dataclasses import dataclass
from typing import Final

from wire_protocol.fleet_messages import UpdateReason


@dataclass(frozen=True, slots=True)
class Advice:
    """For one reason.

    Args:
        remedy: What a person does next, one sentence.
        passes: The same release may be taken later without anybody changing it: the register tries again.
    """

    remedy: str
    passes: bool


ADVICE: Final[dict[UpdateReason, Advice]] = {
    UpdateReason.UNTRUSTED: Advice(
        "Check which repository the file service or the CDN serves: `topscoop model verify` on that folder.",
        passes=True,
    ),
    UpdateReason.METADATA_EXPIRED: Advice(
        "Have the registry renew its metadata: `topscoop model renew`; what runs goes on.", passes=True
    ),
    UpdateReason.CLOCK: Advice(
        "Set the register's clock, and see that it is kept in time (NTP).", passes=True
    ),
    UpdateReason.NOT_LISTED: Advice(
        "Publish the release, or roll out one that is listed: `topscoop model log`.", passes=True
    ),
    UpdateReason.WITHDRAWN: Advice(
        "Roll out another release; a withdrawn one never comes back.", passes=False
    ),
    UpdateReason.BELOW_FLOOR: Advice(
        "Roll out a release at or above the chain's minimum; the minimum never sinks.", passes=False
    ),
    UpdateReason.AGENT_TOO_OLD: Advice("Update Topscoop on this register first.", passes=False),
    UpdateReason.OTHER_CHAIN: Advice(
        "Release a model that was made for this chain; its manifest names another.", passes=False
    ),
    UpdateReason.DIGEST_MISMATCH: Advice(
        "Upload the release's files again: what is served is not what was signed.", passes=True
    ),
    UpdateReason.NOT_A_MODEL: Advice(
        "Export the network with standard operators and every weight inside the file.", passes=False
    ),
    UpdateReason.WRONG_CONTRACT: Advice(
        "Release the network with the manifest that was made with it, for this version of Topscoop.",
        passes=False,
    ),
    UpdateReason.BROKEN_ANSWER: Advice(
        "Look at the training: the network answers what cannot be.", passes=False
    ),
    UpdateReason.GOLDEN_MISMATCH: Advice(
        "Compare this register's processor with the one that evaluated the release: they compute otherwise.",
        passes=False,
    ),
    UpdateReason.TOO_SLOW: Advice(
        "Release a smaller network, or one with a budget that this register can keep.", passes=False
    ),
    UpdateReason.TOO_LARGE: Advice("Release a network that needs less memory.", passes=False),
    UpdateReason.CRASHED: Advice(
        "Keep the model before, and look into the agent's log for what ended the process.", passes=False
    ),
    UpdateReason.ERRORS: Advice("Keep the model before, and look into the agent's log.", passes=False),
    UpdateReason.NO_ROOM: Advice("Free space on the register's disk; it tries again by itself.", passes=True),
    UpdateReason.DISK: Advice(
        "Check the register's disk and the rights of the data folder: `topscoop edge doctor`.", passes=True
    ),
    UpdateReason.UNREACHABLE: Advice(
        "Check the connection, and that the file service or the CDN runs; it tries again by itself.",
        passes=True,
    ),
    UpdateReason.RETURNED: Advice("Nothing: the release before was wanted.", passes=False),
}
