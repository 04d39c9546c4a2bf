"""The notice that a customer reads before saying yes: what, why, how long, by whom, and how to take it back.

The consent receipt carries the SHA-256 of the very text that was shown. A shop may bring its own texts; the
built-in ones say what this software does and nothing else.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

FALLBACK_LANGUAGE: Final = "en"
MAX_CHARACTERS: Final = 4000
"""A notice that nobody reads is none."""

_BUILT_IN: Final = {
    "en": (
        "May we keep the picture from which these three flavours were suggested?\n"
        "What: one camera picture of this moment, and which flavours were shown and bought. "
        "No name, no face recognition, no estimate of age, gender or mood.\n"
        "Why: {purposes}.\n"
        "How long: at most {valid_days} days; then it is destroyed.\n"
        "Who is answerable: {controller}. The picture is encrypted on this till.\n"
        "You may say no; nothing changes for you. You can take a yes back at any time and without a reason, "
        "with the code on your slip."
    ),
    "de": (
        "Dürfen wir das Bild behalten, aus dem diese drei Sorten vorgeschlagen wurden?\n"
        "Was: ein Kamerabild dieses Augenblicks, und welche Sorten gezeigt und gekauft wurden. "
        "Kein Name, keine Gesichtserkennung, keine Schätzung von Alter, Geschlecht oder Stimmung.\n"
        "Wozu: {purposes}.\n"
        "Wie lange: höchstens {valid_days} Tage; danach wird es vernichtet.\n"
        "Verantwortlich: {controller}. Das Bild wird an dieser Kasse verschlüsselt.\n"
        "Sie dürfen Nein sagen; für Sie ändert sich nichts. Ein Ja können Sie jederzeit und ohne Grund "
        "zurücknehmen, mit dem Code auf Ihrem Beleg."
    ),
    "it": (
        "Possiamo conservare l'immagine da cui sono stati suggeriti questi tre gusti?\n"
        "Che cosa: un'immagine della telecamera di questo momento, e quali gusti sono stati mostrati e "
        "acquistati. Nessun nome, nessun riconoscimento del volto, nessuna stima di età, genere o umore.\n"
        "Perché: {purposes}.\n"
        "Per quanto tempo: al massimo {valid_days} giorni; poi viene distrutta.\n"
        "Responsabile: {controller}. L'immagine viene cifrata in questa cassa.\n"
        "Potete dire di no; per voi non cambia nulla. Un sì si può ritirare in ogni momento e senza motivo, "
        "con il codice sullo scontrino."
    ),
}
_PURPOSES: Final = {
    "en": {"training": "to make better suggestions", "evaluation": "to measure how good suggestions are"},
    "de": {
        "training": "um bessere Vorschläge zu machen",
        "evaluation": "um zu messen, wie gut Vorschläge sind",
    },
    "it": {
        "training": "per migliorare i suggerimenti",
        "evaluation": "per misurare la qualità dei suggerimenti",
    },
}
_AND: Final = {"en": " and ", "de": " und ", "it": " e "}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice in one language."""

    language: str
    text: str
    purposes: tuple[str, ...]
    valid_days: int

    @property
    def sha256(self) -> bytes:
        """Of the text in UTF-8; what a consent names."""
        return hashlib.sha256(self.text.encode()).digest()


class Notices:
    """Every notice that this register may show.

    Args:
        notices: One at least; without an English one, the first is what an unknown language gets.
    """

    def __init__(self, notices: tuple[Notice, ...]) -> None:
        assert notices, "a register that asks has something to show"
        self._by_language = {notice.language: notice for notice in notices}
        self._first = self._by_language.get(FALLBACK_LANGUAGE, notices[0])

    @classmethod
    def of(
        cls,
        *,
        purposes: tuple[str, ...],
        valid_days: int,
        controller: str,
        own: Mapping[str, str] | None = None,
    ) -> Self:
        """The notices that a configuration gives.

        Args:
            purposes: Of `wire_protocol.consent.Purpose`.
            valid_days: How long a consent lasts.
            controller: Who is answerable.
            own: Texts by language that take the place of the built-in ones; `{purposes}`, `{valid_days}` and
                `{controller}` are filled in where they stand.

        Raises:
            ValueError: A text is empty or too long; says which.
        """
        texts = own or _BUILT_IN
        return cls(
            tuple(
                _notice(language, text, purposes, valid_days, controller)
                for language, text in sorted(texts.items())
            )
        )

    def choose(self, language: str | None) -> Notice:
        """The notice in this language (such as `de-AT`), or in its main language, or the fallback."""
        wanted = (language or "").lower()
        for candidate in (wanted, wanted.partition("-")[0]):
            if candidate in self._by_language:
                return self._by_language[candidate]
        return self._first

    def shown(self, language: str, sha256: bytes) -> Notice | None:
        """The notice of exactly this language and digest; None when no such notice is shown here."""
        notice = self._by_language.get(language.lower())
        return notice if notice is not None and notice.sha256 == sha256 else None


def _notice(language: str, text: str, purposes: tuple[str, ...], valid_days: int, controller: str) -> Notice:
    words = _PURPOSES.get(language, _PURPOSES[FALLBACK_LANGUAGE])
    purpose_text = _AND.get(language, ", ").join(words[purpose] for purpose in purposes)
    # Not str.format: an own text may hold braces of its own.
    filled = (
        text.strip()
        .replace("{purposes}", purpose_text)
        .replace("{valid_days}", str(valid_days))
        .replace("{controller}", controller)
    )
    if not filled or len(filled) > MAX_CHARACTERS:
        raise ValueError(f"the notice in {language!r} must have 1 to {MAX_CHARACTERS} characters")
    return Notice(language, filled, purposes, valid_days)
