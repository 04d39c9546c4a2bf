// The stream of the agent's events. The browser resumes it by itself (Last-Event-ID); this file adds what it lacks:
// coming back after the agent refused or was restarted, and saying whether the connection stands.

const KINDS = ["recommendation", "outcome", "expired", "menu", "model", "consent"];
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;

/** Follow the events; calls `onEvent(kind, data)` and `onState(connected)` for as long as the page lives. */
export function follow(address, onEvent, onState) {
  let delay = FIRST_DELAY_MS;
  let lastId = "";

  const open = () => {
    const stream = new EventSource(lastId ? `${address}?last_event_id=${encodeURIComponent(lastId)}` : address);
    stream.onopen = () => {
      delay = FIRST_DELAY_MS;
      onState(true);
    };
    stream.onerror = () => {
      onState(false);
      if (stream.readyState === EventSource.CLOSED) {
        setTimeout(open, delay);
        delay = Math.min(delay * 2, LONGEST_DELAY_MS);
      }
    };
    for (const kind of KINDS) {
      stream.addEventListener(kind, (event) => {
        lastId = event.lastEventId;
        onEvent(kind, JSON.parse(event.data));
      });
    }
  };
  open();
}
