// Telling the agent that a slate was really seen: painted, on a visible page, and still the current one.
// Measurement rests on it, so nothing is confirmed on hope.

const ATTEMPTS = 4;
const PAUSE_MS = 400;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The second frame starts after the first one was handed to the screen.
const painted = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));

const visible = () =>
  new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === "visible") {
        document.removeEventListener("visibilitychange", look);
        resolve();
      }
    };
    document.addEventListener("visibilitychange", look);
    look();
  });

/** Confirm one interaction; `isCurrent()` says whether its slate still stands on the page. */
export async function confirmDisplayed(interactionId, isCurrent) {
  await visible();
  await painted();
  for (let attempt = 1; attempt <= ATTEMPTS && isCurrent(); attempt += 1) {
    try {
      const answer = await fetch(`/v1/interactions/${encodeURIComponent(interactionId)}/displayed`, {
        method: "POST",
      });
      if (answer.ok || answer.status === 404) return;
    } catch {
      // The agent is away for a moment; the slate is still on the screen, so the confirmation stays true.
    }
    await pause(PAUSE_MS * attempt);
  }
}
