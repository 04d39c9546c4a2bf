// Live parts: the server sends what changed of the page's lists, as HTML that it has rendered and escaped.

const policy = globalThis.trustedTypes?.createPolicy("topscoop-live", { createHTML: (text) => text });

function build(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content.firstElementChild;
}

// A row that is replaced keeps the focus that was in it, and what was opened in it.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const path = focused && [...old.querySelectorAll("a, button, summary, input")].indexOf(focused);
  old.querySelectorAll("details").forEach((one, index) => {
    const other = fresh.querySelectorAll("details")[index];
    if (other) other.open = one.open;
  });
  old.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll("a, button, summary, input")][path]?.focus({ preventScroll: true });
}

export function applyDiff(root, diff) {
  for (const { list, keys, html } of diff) {
    const holder = root.querySelector(`[data-live-list="${CSS.escape(list)}"]`);
    if (!holder) continue;
    for (const [key, text] of Object.entries(html)) {
      const fresh = build(text);
      fresh.dataset.liveKey = key;
      fresh.classList.add("fresh");
      setTimeout(() => fresh.classList.remove("fresh"), 1500);
      const old = holder.querySelector(`:scope > [data-live-key="${CSS.escape(key)}"]`);
      // Somebody is filling in a form there: their words are worth more than our news.
      if (old?.querySelector("form :focus, details.confirm[open]")) continue;
      // What the page offers to do has changed with it, and buttons belong to a session: ask for them anew.
      if (old?.dataset.reload !== fresh.dataset.reload && !document.querySelector("details.confirm[open]")) {
        location.reload();
        return;
      }
      if (old) replace(old, fresh);
      else holder.append(fresh);
    }
    if (!keys) continue;
    const wanted = new Set(keys);
    for (const one of [...holder.children]) {
      if (one.dataset.liveKey && !wanted.has(one.dataset.liveKey)) one.remove();
    }
    const known = new Map([...holder.children].map((one) => [one.dataset.liveKey, one]));
    keys.forEach((key, index) => {
      const one = known.get(key);
      if (one && holder.children[index] !== one) holder.insertBefore(one, holder.children[index] ?? null);
    });
  }
}

export function followLive(root, state) {
  if (!root || !globalThis.EventSource) return;
  const tell = (words) => {
    if (state && state.textContent !== words) state.textContent = words;
  };
  const address = new URL("/live", location.origin);
  address.searchParams.set("page", root.dataset.live);
  address.searchParams.set("since", root.dataset.liveSince ?? "");
  const source = new EventSource(address);
  source.addEventListener("open", () => tell("Live"));
  source.addEventListener("diff", (event) => applyDiff(root, JSON.parse(event.data)));
  // The server ends every stream after a while; the browser comes back by itself.
  source.addEventListener("error", () => {
    tell(source.readyState === EventSource.CLOSED ? "Not live: load the page again" : "Connecting again …");
  });
  window.addEventListener("pagehide", () => source.close());
}
