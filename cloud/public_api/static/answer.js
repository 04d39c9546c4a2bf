// Waiting for the recommendation of an upload: a stream of events, and where that does not come through
// (proxies, old browsers), asking with patience.

import { ask, Refused } from "./api.js";

const SILENT_MS = 4000; // the stream's first event is there at once, or never
const TOGETHER_MS = 90_000;
const WAIT_S = 20;

/** It takes longer than anybody should wait without being asked. */
export class Late extends Error {
  trouble = "late";
}

/** The recommendation. Throws Refused where there will be none, Late, Away, or the signal's reason. */
export async function answer(requestId, signal) {
  const path = `/v1/recommendations/${encodeURIComponent(requestId)}`;
  const until = performance.now() + TOGETHER_MS;
  return (await streamed(path, until, signal)) ?? polled(path, until, signal);
}

/** null: the stream gave up. */
function streamed(path, until, signal) {
  return new Promise((resolve, reject) => {
    const stream = new EventSource(`${path}/events`);
    let timer = setTimeout(() => finish(resolve, null), SILENT_MS);
    const stop = () => finish(reject, signal.reason);
    const finish = (settle, value) => {
      clearTimeout(timer);
      stream.close();
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(resolve, null), until - performance.now());
    };
    signal.addEventListener("abort", stop, { once: true });
    stream.addEventListener("issued", heard);
    stream.addEventListener("arrived", heard);
    stream.addEventListener("done", (event) => finish(resolve, JSON.parse(event.data)));
    for (const end of ["failed", "expired", "erased"]) {
      stream.addEventListener(end, (event) => finish(reject, Refused.of(JSON.parse(event.data))));
    }
    stream.onerror = () => finish(resolve, null);
  });
}

async function polled(path, until, signal) {
  while (performance.now() < until) {
    const began = performance.now();
    try {
      const told = await ask("GET", `${path}?wait=${WAIT_S}`, { signal });
      if (told.status === 200) return told.body;
      if (performance.now() - began < 1000) await pause(Math.max(1, told.retryAfterS), signal);
    } catch (error) {
      if (!(error instanceof Refused) || error.slug !== "too-many-requests") throw error;
      await pause(Math.max(1, error.retryAfterS), signal);
    }
  }
  throw new Late();
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}
