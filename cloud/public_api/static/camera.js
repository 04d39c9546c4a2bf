// The phone's camera, while its finder is on the page and no longer.

const KINDS = {
  NotAllowedError: "camera_refused",
  SecurityError: "camera_refused",
  NotFoundError: "camera_missing",
  OverconstrainedError: "camera_missing",
};

/** The camera cannot be used; `trouble` is the name of its words. */
export class NoCamera extends Error {
  constructor(trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

let stream = null;
let opening = 0;
let facing = "user"; // the picture shows who asks

/** Start it in a `<video>`; false where it was closed again meanwhile. */
export async function open(video) {
  close(video);
  opening += 1;
  const mine = opening;
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("camera_missing");
  let opened;
  try {
    opened = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 960 } },
    });
  } catch (error) {
    if (mine !== opening) return false;
    throw new NoCamera(KINDS[error.name] ?? "camera_busy");
  }
  if (mine !== opening) {
    for (const track of opened.getTracks()) track.stop();
    return false;
  }
  stream = opened;
  video.dataset.facing = facing;
  video.srcObject = stream;
  await video.play().catch(() => {}); // a finder that was taken away while it started; `mine` says so
  return mine === opening;
}

/** Stop it: its light goes out. */
export function close(video) {
  opening += 1;
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
}

/** The other side of the phone, from the next `open` on. */
export function turn() {
  facing = facing === "user" ? "environment" : "user";
}

/** Whether there is another camera to turn to. */
export async function several() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "videoinput").length > 1;
}
