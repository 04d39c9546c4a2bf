// Every word that the customer reads, in the languages of the display.

const TEXTS = {
  en: {
    skip: "To the flavours",
    settings: "Language and contrast",
    language: "Language",
    contrast: "High contrast",
    idle_title: "Welcome!",
    idle_text: "In a moment, three flavours will be waiting for you here.",
    model_title: "For you today",
    model_text: "Three flavours we think you might love.",
    bestsellers_title: "Our best-sellers",
    bestsellers_text: "The flavours our guests love most.",
    nothing_title: "Just ask us",
    nothing_text: "We will gladly tell you what we have today.",
    thanks_title: "Enjoy your ice cream!",
    thanks_text: "See you soon.",
    choice: "This one, please",
    lost: "No connection to the till. We keep trying …",
    privacy: "A camera helps us to suggest flavours. No picture is kept.",
    privacy_asked: "A camera helps us to suggest flavours. No picture is kept unless you say yes.",
    consent_yes: "Yes, you may",
    consent_no: "No, thank you",
    consent_granted: "Thank you! To take it back at any time, keep this code:",
    consent_failed: "That did not work. Nothing was kept.",
    handover_text: "Or scan to say yes on your phone",
    handover_alt: "QR code: scan it to say yes on your phone",
    handover_granted: "Thank you! You can take it back on your phone at any time.",
  },
  de: {
    skip: "Zu den Sorten",
    settings: "Sprache und Kontrast",
    language: "Sprache",
    contrast: "Hoher Kontrast",
    idle_title: "Herzlich willkommen!",
    idle_text: "Gleich warten hier drei Sorten auf Sie.",
    model_title: "Heute für Sie",
    model_text: "Drei Sorten, die Ihnen schmecken könnten.",
    bestsellers_title: "Unsere Lieblinge",
    bestsellers_text: "Diese Sorten mögen unsere Gäste am liebsten.",
    nothing_title: "Fragen Sie uns einfach",
    nothing_text: "Wir sagen Ihnen gern, was es heute gibt.",
    thanks_title: "Lassen Sie es sich schmecken!",
    thanks_text: "Bis bald.",
    choice: "Die bitte",
    lost: "Keine Verbindung zur Kasse. Wir versuchen es weiter …",
    privacy: "Eine Kamera hilft uns, Sorten vorzuschlagen. Kein Bild wird aufbewahrt.",
    privacy_asked: "Eine Kamera hilft uns, Sorten vorzuschlagen. Ohne Ihr Ja wird kein Bild aufbewahrt.",
    consent_yes: "Ja, gern",
    consent_no: "Nein, danke",
    consent_granted: "Vielen Dank! Mit diesem Code nehmen Sie es jederzeit zurück:",
    consent_failed: "Das hat nicht geklappt. Nichts wurde aufbewahrt.",
    handover_text: "Oder scannen und auf dem Telefon Ja sagen",
    handover_alt: "QR-Code: scannen und auf dem Telefon Ja sagen",
    handover_granted: "Vielen Dank! Auf Ihrem Telefon nehmen Sie es jederzeit zurück.",
  },
  it: {
    skip: "Vai ai gusti",
    settings: "Lingua e contrasto",
    language: "Lingua",
    contrast: "Contrasto elevato",
    idle_title: "Benvenuti!",
    idle_text: "Tra un attimo, qui ci saranno tre gusti per voi.",
    model_title: "Oggi per voi",
    model_text: "Tre gusti che potrebbero piacervi.",
    bestsellers_title: "I più amati",
    bestsellers_text: "I gusti preferiti dai nostri ospiti.",
    nothing_title: "Chiedete a noi",
    nothing_text: "Vi diremo volentieri che cosa c’è oggi.",
    thanks_title: "Buon gelato!",
    thanks_text: "A presto.",
    choice: "Questo, grazie",
    lost: "Nessun collegamento con la cassa. Riproviamo …",
    privacy: "Una telecamera ci aiuta a suggerire i gusti. Nessuna immagine viene conservata.",
    privacy_asked: "Una telecamera ci aiuta a suggerire i gusti. Senza il vostro sì non si conserva nulla.",
    consent_yes: "Sì, va bene",
    consent_no: "No, grazie",
    consent_granted: "Grazie! Con questo codice potete ritirarlo in ogni momento:",
    consent_failed: "Non ha funzionato. Nulla è stato conservato.",
    handover_text: "Oppure inquadrate il codice e dite sì sul telefono",
    handover_alt: "Codice QR: inquadratelo per dire sì sul telefono",
    handover_granted: "Grazie! Sul telefono potete ritirarlo in ogni momento.",
  },
};

/** The languages of the display, in the order of their buttons. */
export const LANGUAGES = Object.keys(TEXTS);

/** The words of one language. */
export function texts(language) {
  return TEXTS[language];
}

/** The first of these wishes (such as "de-AT") that the display speaks; English otherwise. */
export function chooseLanguage(wishes) {
  const spoken = wishes.map((wish) => String(wish).slice(0, 2).toLowerCase());
  return spoken.find((wish) => LANGUAGES.includes(wish)) ?? "en";
}
