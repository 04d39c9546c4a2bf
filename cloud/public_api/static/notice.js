// The chain's notice: the very text whose digest a yes names.

import { ask } from "./api.js";
import { language } from "./texts.js";

/** The notice in the page's language, put wherever the page shows it. */
export async function fetchNotice() {
  return shownNotice((await ask("GET", `/v1/notice?language=${language}`)).body);
}

/** Show this notice, and return it. */
export function shownNotice(notice) {
  for (const place of document.querySelectorAll(".notice-text")) {
    place.lang = notice.language;
    place.textContent = notice.text;
  }
  return notice;
}
