// Is this a picture that may be sent? Only its markers are read; whether it can be decoded is not our concern.

const PICTURE_MAX = 98304;

/** Width and height of a plain baseline JPEG; throws where the protocol would not take it. */
export function jpegSize(bytes) {
  const refuse = (why) => { throw new Error(`The picture cannot be sent: ${why}.`); };
  if (bytes.length > PICTURE_MAX) refuse(`it has ${bytes.length} bytes, more than ${PICTURE_MAX}`);
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) refuse('it is no JPEG');
  let size;
  let at = 2;
  while (at + 4 <= bytes.length) {
    const marker = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) refuse('it is cut off');
    const body = bytes.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === 0xffe0) {
      if (body.toString('latin1', 0, 5) !== 'JFIF\0') refuse('it has metadata');
    } else if (marker === 0xffc0 || marker === 0xffc1) {
      if (size || body.length < 6) refuse('it has not just one frame header');
      if (body[0] !== 8 || ![1, 3].includes(body[5])) refuse('it has not 8 bits in 1 or 3 components');
      size = { height: body.readUInt16BE(1), width: body.readUInt16BE(3) };
    } else if (marker === 0xffda) {
      if (!size) refuse('it has no frame header');
      // In the scan 0xff is followed by 0 or a restart marker; the first other marker must be EOI, at the very end.
      while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0
        && !(bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7))) at += 1;
      if (at !== bytes.length - 2 || bytes[at + 1] !== 0xd9) refuse('it has more than one scan, or no end at its end');
      if ([size.width, size.height].some((side) => side < 16 || side > 4096) || size.width * size.height > 4000000) {
        refuse(`it is ${size.width} × ${size.height} pixels`);
      }
      return size;
    } else if (![0xffdb, 0xffc4, 0xffdd].includes(marker)) { // tables and restart interval; all else is refused
      refuse(`it is not baseline or has metadata (marker ${marker.toString(16)})`);
    }
  }
  return refuse('it has no scan');
}
