// Camera pictures of all registers over one connection: position (1 byte), length (4 bytes), JPEG.

const HEADER = 5;
const LONGEST = 1 << 20;

/** Calls show(position, jpeg) for every picture until the signal aborts or the stream ends. */
export async function watchPictures(show, signal) {
  const response = await fetch("/live/pictures", { signal });
  if (!response.ok) throw new Error(`pictures were answered ${response.status}`);
  const reader = response.body.getReader();
  let buffer = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(buffer.length + value.length);
    joined.set(buffer);
    joined.set(value, buffer.length);
    buffer = joined;
    let at = 0;
    while (buffer.length - at >= HEADER) {
      const length = new DataView(buffer.buffer, at).getUint32(1);
      if (length > LONGEST) throw new Error(`a picture of ${length} bytes cannot be`);
      if (buffer.length - at < HEADER + length) break;
      show(buffer[at], buffer.slice(at + HEADER, at + HEADER + length));
      at += HEADER + length;
    }
    buffer = buffer.slice(at);
  }
}
