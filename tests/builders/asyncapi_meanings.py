"""What each field means, in a sentence; `tests.builders.asyncapi` puts them beside the fields' bounds."""

from typing import Any, Final

from wire_protocol import consent, messages

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
