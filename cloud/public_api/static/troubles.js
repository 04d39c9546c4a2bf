// What went wrong, as the name of its words and the ways on. One table, so that no state is without a way.

import { Away, Refused } from "./api.js";

/** By name: what its buttons do, the best first; `resume` is what was tried last. */
export const WAYS = {
  camera_refused: ["file", "camera"],
  camera_missing: ["file"],
  camera_busy: ["camera", "file"],
  unreadable: ["file", "camera"],
  offline: ["resume"],
  too_many: ["resume"],
  quota: ["history"],
  session: ["login"],
  store: ["resume", "again"],
  bad_picture: ["camera", "file"],
  damaged: ["resume", "again"],
  gone: ["resume", "again"],
  no_model: ["resume"],
  withdrawn: ["camera", "file"],
  late: ["resume"],
  notice: ["reread"],
  over: [],
  broken: ["resume"],
};

const BY_SLUG = {
  "not-authenticated": "session",
  "bad-token": "session",
  "not-genuine": "session",
  "too-many-requests": "too_many",
  "quota-used-up": "quota",
  "no-model": "no_model",
  "notice-unknown": "notice",
  erased: "withdrawn",
  "upload-expired": "gone",
  "handover-over": "over",
};

// As `cloud.intake.values.UploadProblem`.
const BY_PROBLEM = {
  "digest-mismatch": "damaged",
  "wrong-length": "damaged",
  "wrong-type": "damaged",
  "bad-picture": "bad_picture",
  "picture-gone": "gone",
  "no-model": "no_model",
  "consent-withdrawn": "withdrawn",
};

/** The name of an error's words. */
export function troubleOf(error) {
  if (error.trouble) return error.trouble;
  if (error instanceof Away) return navigator.onLine ? "broken" : "offline";
  if (!(error instanceof Refused)) return "broken";
  if (error.slug === "upload-failed") return BY_PROBLEM[error.document.problem] ?? "broken";
  return BY_SLUG[error.slug] ?? "broken";
}
