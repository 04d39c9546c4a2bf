// From a small JPEG to an upload that has arrived: ticket, PUT to the store, and saying so.
// A URL whose time is over is replaced here, without a question.

import { ask, Away, Refused } from "./api.js";

const ATTEMPTS = 3;
const PUT_MS = 55_000; // a URL lives for a minute at most
const SET_BY_BROWSERS = new Set(["content-length", "host"]);
const RENEWED = new Set(["upload-expired", "upload-not-there"]);

/** The store did not take it. */
export class StoreRefused extends Error {
  trouble = "store";
}

/** Upload a picture and return its request id; `consent` is the notice that was agreed to, or null. */
export async function upload(blob, consent, onProgress, signal) {
  const wanted = await described(blob, consent);
  let refused = new StoreRefused("no attempt");
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const headers = { "Idempotency-Key": key() };
    const ticket = (await ask("POST", "/v1/uploads", { body: wanted, headers, signal })).body;
    try {
      await put(ticket, blob, onProgress, signal);
      await ask("POST", `/v1/uploads/${encodeURIComponent(ticket.request_id)}/complete`, { signal });
      return ticket.request_id;
    } catch (error) {
      if (!(error instanceof StoreRefused) && !(error instanceof Refused && RENEWED.has(error.slug))) throw error;
      refused = error;
    }
  }
  throw refused instanceof StoreRefused ? refused : new StoreRefused(refused.message);
}

async function described(blob, consent) {
  const now = new Date();
  const wanted = {
    content_type: "image/jpeg",
    content_length: blob.size,
    sha256: hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())),
    purpose: consent ? "recommend_and_improve" : "recommend",
    // The shop's clock is the phone's; Monday is 0.
    context: { hour: now.getHours() + now.getMinutes() / 60, weekday: (now.getDay() + 6) % 7 },
  };
  if (consent) wanted.consent = { notice: consent.sha256, language: consent.language, agreed: true };
  return wanted;
}

// XMLHttpRequest: fetch cannot say how much of a body has gone.
function put(ticket, blob, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("PUT", ticket.url);
    request.timeout = PUT_MS;
    for (const [name, value] of Object.entries(ticket.headers)) {
      if (!SET_BY_BROWSERS.has(name.toLowerCase())) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onProgress(event.loaded / blob.size);
    request.onload = () => {
      // 412: it is there already, and only the answer to it was lost.
      if (request.status < 300 || request.status === 412) resolve();
      else reject(new StoreRefused(String(request.status)));
    };
    request.onerror = () => reject(navigator.onLine ? new StoreRefused("no answer") : new Away("offline"));
    request.ontimeout = request.onerror;
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop, { once: true });
    request.send(blob);
  });
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

const key = () => hex(crypto.getRandomValues(new Uint8Array(16)));
