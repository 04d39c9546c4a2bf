"""What each field means, in a sentence; `tests.builders.asyncapi` puts them beside the fields' bounds."""

from typing import Any, Final

from wire_protocol import consent, fleet_messages, messages

_INTERACTION: Final = "The interaction's UUID version 7, as its 16 bytes."
_CONSENT: Final = "The id of the blank that the customer's consent filled."

MEANINGS: Final[dict[type[Any], dict[str, str]]] = {
    messages.FrameUp: {
        "interaction": _INTERACTION,
        "consent": _CONSENT,
        "captured_at": "When the camera took the picture: before the consent's expires_at, often before "
        "its granted_at.",
        "width": "Of the picture, in pixels.",
        "height": "Of the picture, in pixels.",
        "picture_bytes": "Length of the JPEG inside the seal: the attachment's length less 48.",
    },
    messages.ConsentUp: {"consent": _CONSENT, "interaction": _INTERACTION},
    messages.WithdrawalUp: {"consent": _CONSENT, "withdrawn_at": "When the customer took it back."},
    messages.Offered: {
        "flavour": "An id of the tenant's catalogue.",
        "probability": "That this customer buys it, by the model; absent where no model chose.",
    },
    messages.ContextEntry: {
        "name": "Of the feature, as the model's manifest has it.",
        "number": "Its value, where it is a number.",
        "text": "Its value, where it is a category; without number and text it was unknown.",
    },
    messages.InteractionUp: {
        "interaction": f"{_INTERACTION} Also the message's id, or it is refused.",
        "store": "Where the register stands, as enrolment named it; not checked.",
        "shown_at": "When the till got the recommendation.",
        "slate": "What was recommended, in its order.",
        "arm": "Which policy chose the slate.",
        "source": "What the slate really is: a model's choice or the best-sellers.",
        "propensity": "The probability of this very slate over arms and sampling together, as "
        "edge-records.md has it; 1 where every arm would show the best-sellers.",
        "menu_version": "Of the menu that was in force; 0 where there was none.",
        "in_stock": "Flavours that could be sold; empty where no menu was set.",
        "context": "The features that the model was given.",
        "total_ms": "From the till's request to the answer.",
        "displayed_at": "When the customer's display showed it; absent if it did not.",
        "reason": "Why best-sellers were shown instead of a model's choice, in a word of edge-api.md; "
        "absent where the model chose.",
        "model_digest": "SHA-256 of the model that ran, in 64 hex digits, no prefix; absent without one.",
        "model_version": "Its version.",
        "nobody": "The model's probability that nobody stood there.",
        "scores": "The model's scores, of every flavour of its catalogue.",
        "frame_age_ms": "Age of the picture when it was used.",
        "inference_ms": "What the network took.",
    },
    messages.Sold: {"flavour": "An id of the tenant's catalogue.", "quantity": "Scoops."},
    messages.OutcomeUp: {
        "outcome": "16 random bytes that name the sale. Also the message's id, or it is refused.",
        "store": "Where the register stands, as enrolment named it; not checked.",
        "sold_at": "When it was paid.",
        "receipt_hmac": "HMAC-SHA-256 of the till's receipt number; its key never leaves the register.",
        "lines": "What was bought.",
        "interaction": f"{_INTERACTION} Absent where nothing was recommended.",
        "since_shown_ms": "From the recommendation to the sale, by one clock.",
    },
    messages.Counter: {"name": "Of the counter.", "value": "Since the register was enrolled."},
    messages.ReportUp: {
        "agent_version": "Of the register's software.",
        "at": "When the report was made.",
        "uptime_s": "Since the software started.",
        "blanks_left": "Usable consent blanks in stock.",
        "blanks_wanted": "How many more the register would like; 0 where it has enough. Those that were "
        "issued within the last 120 s are taken off.",
        "spooled_messages": "That have no receipt yet.",
        "spooled_bytes": "Their size.",
        "counters": "Anything worth counting.",
        "model_digest": "SHA-256 of the model that runs, in 64 hex digits, no prefix; absent without one.",
        "model_version": "Its version.",
        "generation": "Of the newest desired state that this register knows; 0 before the first.",
        "release": "Number of the model that runs; absent for the model that came with the software.",
        "certificate_until": "When the register's certificate ends.",
        "camera": "How the camera is, in a word.",
        "update": "The newest attempt at a release; absent before the first.",
        "metadata": "The signed metadata of releases that the register holds; absent before the first.",
        "health": "How the model that runs does; absent without one.",
        "shadow": "How a release does that runs beside it; absent without one.",
    },
    fleet_messages.UpdateProgress: {
        "transaction": "16 random bytes, the same from the order to the verdict.",
        "release": "Which one.",
        "state": "How far it has come.",
        "at": "When it came there.",
        "fetched_bytes": "Of the network, so far.",
        "total_bytes": "Of the whole network; 0 while that is not known.",
        "reason": "Why it did not come to run or to stay; absent otherwise.",
        "words": "The same for people, with figures.",
    },
    fleet_messages.MetadataSeen: {
        "root": "Version of the root metadata.",
        "timestamp": "Version of the timestamp metadata.",
        "snapshot": "Version of the snapshot metadata.",
        "targets": "Version of the targets metadata.",
        "expires_at": "When the first of them ends; later no new release is taken, what runs goes on.",
        "floor": "The least release that the chain's targets key ever allowed; it never sinks.",
    },
    fleet_messages.ModelHealth: {
        "since": "When counting began: this model was put in use, or the agent started with it.",
        "recommendations": "Answers since then.",
        "errors": "Answers that failed.",
        "crashes": "Starts of the software that followed no orderly end.",
        "nobody": "Answers that nobody stood there.",
        "p50_ms": "Median of the time an answer takes.",
        "p99_ms": "The time that 99 of 100 answers keep.",
        "confidence": "How often the first flavour's probability lay in each of ten equal steps.",
        "labels": "How often each flavour came first, by its index in the model's catalogue.",
    },
    fleet_messages.ShadowHealth: {
        "release": "Which one.",
        "digest": "SHA-256 of its network, in 64 hex digits, no prefix.",
        "compared": "Pictures that both saw.",
        "same_first": "On how many the first flavour was the same.",
        "same_three": "On how many the three flavours were the same, in any order.",
        "errors": "Pictures on which it failed.",
        "p99_ms": "The time that 99 of 100 of its answers keep.",
    },
    fleet_messages.FileRequestUp: {
        "path": "Below the chain's repository, such as metadata/2.root.json; no part is . or ..",
        "offset": "First byte of the piece.",
        "length": "Bytes of the piece; fewer come at the end of the file.",
        "deflate": "True: the piece may come packed (see unpacked); absent: it comes as it is.",
    },
    messages.StatusUp: {
        "online": "True on connecting; false in the last will.",
        "since": "When this connection was begun.",
        "agent_version": "Of the register's software.",
    },
    messages.ReceiptDown: {
        "message": "The id of the message that is answered.",
        "sha256": "SHA-256 of the whole MQTT payload that the cloud received. Another one than that of the "
        "bytes sent: ignore the receipt.",
        "verdict": "stored, refused and gone are final; retry is not.",
        "received_at": "By the cloud's clock.",
        "version": "Of a stored frame: the version id of its object.",
        "reason": "Why it was refused; present with that verdict, and only with it.",
        "retry_after_ms": "When to send it again; present with retry, and only with it.",
    },
    messages.BlanksDown: {"blanks": "Consent blanks, each the bytes of a COSE_Sign1 (see ConsentBlank)."},
    messages.EraseDown: {"consents": "Ids of consents that ended."},
    fleet_messages.DesiredDown: {
        "generation": "Grows with each order; a register ignores those up to its own.",
        "settings": "What the cloud decides for this register besides.",
        "release": "Number of the release to run; absent: the model that came with the software, or "
        "best-sellers where the chain's keys set a least release.",
        "digest": "SHA-256 of its network, in 64 hex digits, no prefix; present with release, and only with "
        "it. Another one under the same number is refused.",
        "rollout": "Of which it is part; absent otherwise.",
    },
    fleet_messages.Settings: {
        "shadow": "A release to run beside the other and never to show.",
        "trial_ms": "How long a new release is on trial at least.",
        "trial_recommendations": "How many answers a trial needs at least.",
        "report_every_s": "How often to report.",
    },
    fleet_messages.FileBlockDown: {
        "request": "The id of the message that asked.",
        "status": "ok: the piece is attached; missing: no such file; beyond: the offset lies behind its end; "
        "busy: ask again after retry_after_ms.",
        "offset": "First byte of the piece.",
        "total": "Bytes of the whole file.",
        "retry_after_ms": "When to ask again; present with busy.",
        "unpacked": "Bytes of the piece where it comes in raw DEFLATE (RFC 1951), as the request allowed; "
        "absent: the piece comes as it is.",
    },
    consent.Blank: {
        "blank": "Names the blank, and later the consent.",
        "tenant": "Whose blank it is.",
        "register": "Who may fill it.",
        "public_key": "X25519; pictures under this consent are sealed to it.",
        "issued_at": "By the cloud's clock.",
        "usable_until": "The last millisecond at which it may be filled.",
    },
    consent.Consent: {
        "blank": "The bytes of the blank (COSE_Sign1) that is filled, as they came.",
        "interaction": f"{_INTERACTION} One blank, one interaction.",
        "purposes": "What the customer allows, each once; frames need training.",
        "notice": "SHA-256 of the notice that was shown, in UTF-8; the text stays with who wrote it.",
        "language": "Of the notice, such as en or de-AT.",
        "method": "How the customer said yes.",
        "granted_at": "When; not after the blank's usable_until.",
        "expires_at": "Later than granted_at, by three years of 366 days at most.",
        "withdrawal": "SHA-256 of the withdrawal code as printed on the slip.",
    },
}
