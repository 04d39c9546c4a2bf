// The code that lets a customer answer on a phone. It comes from the agent as SVG and is put on the page as
// parsed elements, never as markup; what it holds is not shown as text, for nobody types it.

import { texts } from "./texts.js";

const byId = (id) => document.getElementById(id);

/** The code of an interaction: { url, svg, expires_in_s }; null where there is none now. */
export async function fetchCode(interaction) {
  try {
    const answer = await fetch(`/v1/interactions/${encodeURIComponent(interaction)}/handover`);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the question stands without a code
  }
}

/** Show a code beside the question. */
export function show(code, language) {
  const drawing = new DOMParser().parseFromString(code.svg, "image/svg+xml").documentElement;
  if (drawing.nodeName !== "svg") return;
  drawing.setAttribute("role", "img");
  byId("handover-code").replaceChildren(document.importNode(drawing, true));
  byId("handover").hidden = false;
  translate(language);
}

/** Put the words around it into a language. */
export function translate(language) {
  const words = texts(language);
  byId("handover").querySelector("figcaption").textContent = words.handover_text;
  byId("handover-code").firstElementChild?.setAttribute("aria-label", words.handover_alt);
}

/** Take it away. */
export function hide() {
  byId("handover").hidden = true;
  byId("handover-code").replaceChildren();
}
