"""What people read before they say yes: what, why, how long, by whom, and how to take it back.

A consent receipt carries the SHA-256 of the very text that was shown. A chain may bring its own texts; the
built-in ones, for the till (`AT_THE_TILL`) and for pictures from a phone (`FROM_A_PHONE`), say what this
software does and nothing else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FALLBACK_LANGUAGE: Final = "en"
MAX_CHARACTERS: Final = 4000
"""A notice that nobody reads is none."""

AT_THE_TILL: Final[Mapping[str, str]] = {
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
    "fr": (
        "Pouvons-nous conserver l'image à partir de laquelle ces trois parfums ont été proposés ?\n"
        "Quoi : une image de la caméra prise à cet instant, et les parfums montrés et achetés. "
        "Aucun nom, aucune reconnaissance du visage, aucune estimation de l'âge, du sexe ou de l'humeur.\n"
        "Pourquoi : {purposes}.\n"
        "Combien de temps : au plus {valid_days} jours ; ensuite elle est détruite.\n"
        "Responsable : {controller}. L'image est chiffrée dans cette caisse.\n"
        "Vous pouvez dire non ; rien ne change pour vous. Vous pouvez retirer un oui à tout moment et sans "
        "raison, avec le code de votre ticket."
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
    "es": (
        "¿Podemos conservar la imagen a partir de la cual se sugirieron estos tres sabores?\n"
        "Qué: una imagen de la cámara de este momento, y qué sabores se mostraron y se compraron. "
        "Ningún nombre, ningún reconocimiento facial, ninguna estimación de edad, sexo o estado de ánimo.\n"
        "Para qué: {purposes}.\n"
        "Cuánto tiempo: {valid_days} días como máximo; después se destruye.\n"
        "Responsable: {controller}. La imagen se cifra en esta caja.\n"
        "Puede decir que no; para usted no cambia nada. Puede retirar un sí en cualquier momento y sin "
        "motivo, con el código de su tique."
    ),
}

FROM_A_PHONE: Final[Mapping[str, str]] = {
    "en": (
        "May we keep the picture that you send from your phone?\n"
        "What: this one picture, and which flavours were suggested for it and bought. "
        "No name, no face recognition, no estimate of age, gender or mood. "
        "Without your yes the picture is deleted as soon as three flavours are found.\n"
        "Why: {purposes}.\n"
        "How long: at most {valid_days} days; then it is destroyed.\n"
        "Who is answerable: {controller}. The picture is stored encrypted, with a key of its own.\n"
        "You may say no; you get your three flavours all the same. You can take a yes back at any time and "
        "without a reason, on the page where you gave it."
    ),
    "de": (
        "Dürfen wir das Bild behalten, das Sie von Ihrem Telefon senden?\n"
        "Was: dieses eine Bild, und welche Sorten dazu vorgeschlagen und gekauft wurden. "
        "Kein Name, keine Gesichtserkennung, keine Schätzung von Alter, Geschlecht oder Stimmung. "
        "Ohne Ihr Ja wird das Bild gelöscht, sobald drei Sorten gefunden sind.\n"
        "Wozu: {purposes}.\n"
        "Wie lange: höchstens {valid_days} Tage; danach wird es vernichtet.\n"
        "Verantwortlich: {controller}. Das Bild wird verschlüsselt gespeichert, mit eigenem Schlüssel.\n"
        "Sie dürfen Nein sagen; Ihre drei Sorten bekommen Sie trotzdem. Ein Ja können Sie jederzeit und ohne "
        "Grund zurücknehmen, auf der Seite, auf der Sie es gegeben haben."
    ),
    "fr": (
        "Pouvons-nous conserver la photo que vous envoyez de votre téléphone ?\n"
        "Quoi : cette seule photo, et les parfums proposés pour elle et achetés. "
        "Aucun nom, aucune reconnaissance du visage, aucune estimation de l'âge, du sexe ou de l'humeur. "
        "Sans votre oui, la photo est effacée dès que trois parfums sont trouvés.\n"
        "Pourquoi : {purposes}.\n"
        "Combien de temps : au plus {valid_days} jours ; ensuite elle est détruite.\n"
        "Responsable : {controller}. La photo est conservée chiffrée, avec une clé qui lui est propre.\n"
        "Vous pouvez dire non ; vous recevrez vos trois parfums quand même. Vous pouvez retirer un oui à "
        "tout moment et sans raison, sur la page où vous l'avez donné."
    ),
    "it": (
        "Possiamo conservare la foto che inviate dal vostro telefono?\n"
        "Che cosa: questa sola foto, e quali gusti sono stati suggeriti per essa e acquistati. "
        "Nessun nome, nessun riconoscimento del volto, nessuna stima di età, genere o umore. "
        "Senza il vostro sì la foto viene cancellata appena trovati tre gusti.\n"
        "Perché: {purposes}.\n"
        "Per quanto tempo: al massimo {valid_days} giorni; poi viene distrutta.\n"
        "Responsabile: {controller}. La foto viene conservata cifrata, con una chiave propria.\n"
        "Potete dire di no; i tre gusti li ricevete comunque. Un sì si può ritirare in ogni momento e senza "
        "motivo, sulla pagina dove l'avete dato."
    ),
    "es": (
        "¿Podemos conservar la foto que envía desde su teléfono?\n"
        "Qué: solo esta foto, y qué sabores se sugirieron para ella y se compraron. "
        "Ningún nombre, ningún reconocimiento facial, ninguna estimación de edad, sexo o estado de ánimo. "
        "Sin su sí, la foto se borra en cuanto se encuentran tres sabores.\n"
        "Para qué: {purposes}.\n"
        "Cuánto tiempo: {valid_days} días como máximo; después se destruye.\n"
        "Responsable: {controller}. La foto se guarda cifrada, con una clave propia.\n"
        "Puede decir que no; recibirá sus tres sabores igualmente. Puede retirar un sí en cualquier momento "
        "y sin motivo, en la página donde lo dio."
    ),
}
_PURPOSES: Final = {
    "en": {"training": "to make better suggestions", "evaluation": "to measure how good suggestions are"},
    "de": {
        "training": "um bessere Vorschläge zu machen",
        "evaluation": "um zu messen, wie gut Vorschläge sind",
    },
    "fr": {
        "training": "pour améliorer les suggestions",
        "evaluation": "pour mesurer la qualité des suggestions",
    },
    "it": {
        "training": "per migliorare i suggerimenti",
        "evaluation": "per misurare la qualità dei suggerimenti",
    },
    "es": {
        "training": "para mejorar las sugerencias",
        "evaluation": "para medir la calidad de las sugerencias",
    },
}
_AND: Final = {"en": " and ", "de": " und ", "fr": " et ", "it": " e ", "es": " y "}


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


def fill(language: str, text: str, purposes: tuple[str, ...], valid_days: int, controller: str) -> Notice:
    """A notice of a text in which `{purposes}`, `{valid_days}` and `{controller}` may stand.

    Args:
        language: Such as `de`.
        text: Built in, or a chain's own.
        purposes: Of `wire_protocol.consent.Purpose`.
        valid_days: How long a consent lasts.
        controller: Who is answerable.

    Raises:
        ValueError: The text is empty or too long.
    """
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


def choose(notices: Sequence[Notice], language: str | None) -> Notice:
    """The notice in this language (such as `de-AT`), or its main language, or English, or the first."""
    by_language = {notice.language: notice for notice in reversed(notices)}
    wanted = (language or "").lower()
    for candidate in (wanted, wanted.partition("-")[0], FALLBACK_LANGUAGE):
        if candidate in by_language:
            return by_language[candidate]
    return notices[0]
