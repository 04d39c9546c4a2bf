// Any picture becomes a small JPEG here, before anything is sent: longest side, bytes, and nothing but pixels
// (a canvas has no EXIF, no place, no name). The original stays where it is.

export const LONGEST_SIDE = 640; // pixels; the network looks at fewer
export const MOST_BYTES = 140_000; // with its requests a picture stays below 150 KB of the data plan
const QUALITIES = [0.86, 0.78, 0.7, 0.6, 0.5, 0.4];
const SMALLEST_SIDE = 160;

/** The browser cannot read this file as a picture. */
export class Unreadable extends Error {
  trouble = "unreadable";
}

/** A small JPEG (Blob) of a file or of what a `<video>` shows. */
export async function shrink(source) {
  const bitmap = await decoded(source);
  try {
    for (let side = LONGEST_SIDE; side >= SMALLEST_SIDE; side = Math.round(side * 0.75)) {
      const canvas = scaled(bitmap, side);
      for (const quality of QUALITIES) {
        const blob = await encoded(canvas, quality);
        if (blob.size <= MOST_BYTES) return blob;
      }
    }
  } finally {
    bitmap.close();
  }
  throw new Unreadable("no size was small enough");
}

/** Draw a JPEG as it will be sent. */
export async function draw(blob, canvas) {
  const bitmap = await decoded(blob);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

async function decoded(source) {
  try {
    return await createImageBitmap(source); // turned as its EXIF says
  } catch (error) {
    throw new Unreadable(String(error));
  }
}

// Halving until the last step keeps every browser's picture smooth, whatever its own filter does.
function scaled(bitmap, side) {
  const factor = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * factor));
  const height = Math.max(1, Math.round(bitmap.height * factor));
  let source = bitmap;
  while (source.width > 2 * width && source.height > 2 * height) {
    source = painted(source, Math.ceil(source.width / 2), Math.ceil(source.height / 2));
  }
  return painted(source, width, height);
}

function painted(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

function encoded(canvas, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob?.type === "image/jpeg" ? resolve(blob) : reject(new Unreadable("no JPEG"))),
      "image/jpeg",
      quality,
    );
  });
}
