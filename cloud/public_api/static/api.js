// The chain's API on this very host: JSON in, JSON or a problem document out.

const LONGEST_MS = 40_000; // a long poll and its way back

/** A problem document (RFC 9457), by its slug. */
export class Refused extends Error {
  constructor(slug, document = {}, retryAfterS = 0) {
    super(slug);
    this.slug = slug;
    this.document = document;
    this.retryAfterS = retryAfterS;
  }

  static of(document, retryAfterS = 0) {
    return new Refused(String(document.type ?? "").split("#")[1] ?? "internal", document, retryAfterS);
  }
}

/** Nothing came back. */
export class Away extends Error {}

let csrf = "";

/** Who is logged in; a page asks once before it changes anything. */
export async function enter() {
  const me = (await ask("GET", "/v1/me")).body;
  csrf = me.csrf ?? "";
  return me;
}

/** One request; `body` becomes JSON. Throws Refused or Away, or what `signal` was aborted with. */
export async function ask(method, path, { body, headers = {}, signal } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET") sent["X-CSRF-Token"] = csrf;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), LONGEST_MS);
  signal?.addEventListener("abort", () => patience.abort(), { once: true });
  try {
    const answer = await fetch(path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: patience.signal,
    });
    const told = answer.status === 204 ? {} : await answer.json();
    const retryAfterS = Number(answer.headers.get("Retry-After") ?? 0);
    if (!answer.ok) throw Refused.of(told, retryAfterS);
    return { status: answer.status, body: told, retryAfterS };
  } catch (error) {
    if (error instanceof Refused) throw error;
    signal?.throwIfAborted();
    throw new Away(String(error));
  } finally {
    clearTimeout(timer);
  }
}
