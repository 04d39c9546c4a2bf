// CBOR (RFC 8949) in the one deterministic form that the protocol allows (section 4.2.1).
//
// JavaScript has one kind of number and the protocol has two. So a JavaScript integer (or BigInt) is a CBOR integer, a
// number with a fraction is a CBOR float, and `Float` is a float that may happen to be whole, such as 15.0.

export class Malformed extends Error {}

export class Float {
  constructor(value) { this.value = value; }
  valueOf() { return this.value; }
}

const DEPTH_MAX = 8;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

// ---------------------------------------------------------------------------------------------------------- encoding

/** The only encoding of a value: integer, BigInt, Float, boolean, text, bytes, array, Map or plain object. */
export function encode(value) {
  const parts = [];
  write(value, parts, 0);
  return Buffer.concat(parts);
}

function write(value, parts, depth) {
  if (value instanceof Float) return parts.push(float(value.value));
  if (value instanceof Uint8Array) return parts.push(head(2, value.length), value);
  switch (typeof value) {
    case 'boolean': return parts.push(Buffer.of(value ? 0xf5 : 0xf4));
    case 'bigint': return parts.push(integer(value));
    case 'number':
      // −0 is no integer: it would lose its sign. Numbers beyond 2^53 are no integers that we could trust.
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return parts.push(integer(BigInt(value)));
      return parts.push(float(value));
    case 'string': {
      if (!value.isWellFormed()) throw new Malformed('a text with half a surrogate pair');
      const utf8 = Buffer.from(value, 'utf8');
      return parts.push(head(3, utf8.length), utf8); // its length in bytes, not in characters
    }
    case 'object': break;
    default: throw new Malformed(`nothing of type ${typeof value} can be encoded`);
  }
  if (value === null) throw new Malformed('null: a field without a value is left out');
  if (depth === DEPTH_MAX) throw new Malformed('nested too deep');
  if (Array.isArray(value)) {
    parts.push(head(4, value.length));
    for (const element of value) write(element, parts, depth + 1);
    return;
  }
  const pairs = [...(value instanceof Map ? value : Object.entries(value))].map(([key, of]) => [encodeKey(key), of]);
  // Shorter encoded key first, then byte by byte.
  pairs.sort(([a], [b]) => a.length - b.length || Buffer.compare(a, b));
  parts.push(head(5, pairs.length));
  for (const [key, of] of pairs) {
    parts.push(key);
    write(of, parts, depth + 1);
  }
}

function encodeKey(key) {
  if (typeof key === 'string' || (Number.isInteger(key) && key >= -24 && key <= 23)) return encode(key);
  throw new Malformed('a key of a map is a text or an integer from -24 to 23');
}

function integer(value) {
  return value >= 0n ? head(0, value) : head(1, -1n - value);
}

/** The first bytes of an item: its major type, and a length or value in as few bytes as can be. */
function head(major, argument) {
  const n = BigInt(argument);
  if (n >= 1n << (major === 1 ? 63n : 64n)) throw new Malformed('an integer of more than 64 bits');
  const type = major << 5;
  if (n < 24n) return Buffer.of(type | Number(n));
  const [info, length] = n < 0x100n ? [24, 1] : n < 0x10000n ? [25, 2] : n < 0x100000000n ? [26, 4] : [27, 8];
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(n, 1);
  const out = bytes.subarray(8 - length);
  out[0] = type | info;
  return out;
}

/** The shortest of half, single and double that keeps the value. */
function float(value) {
  if (!Number.isFinite(value)) throw new Malformed('neither NaN nor infinity can be sent');
  const half = toHalf(value);
  if (half !== undefined) return Buffer.of(0xf9, half >> 8, half & 0xff);
  const single = Math.fround(value) === value;
  const out = Buffer.alloc(single ? 5 : 9);
  out[0] = single ? 0xfa : 0xfb;
  if (single) out.writeFloatBE(value, 1);
  else out.writeDoubleBE(value, 1);
  return out;
}

/** The 16 bits of a half float, or undefined where they cannot hold the value. */
function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size > 65504) return undefined;
  if (size < 2 ** -14) { // a subnormal: a multiple of 2^-24
    const multiple = size * 2 ** 24;
    return Number.isInteger(multiple) ? sign | multiple : undefined;
  }
  let exponent = -14;
  while (size >= 2 ** (exponent + 1)) exponent += 1;
  const fraction = (size / 2 ** exponent - 1) * 1024;
  return Number.isInteger(fraction) ? sign | ((exponent + 15) << 10) | fraction : undefined;
}

// ---------------------------------------------------------------------------------------------------------- decoding

/** Maps become Map, floats become Float, integers beyond 2^53 BigInt. Whatever is not in the one form is refused. */
export function decode(bytes) {
  const reader = { bytes: Buffer.from(bytes), at: 0 };
  const value = read(reader, 0);
  // The protocol's own test: what does not encode to itself is not in the one form. It finds long lengths and floats,
  // wrong orders, double keys and whatever comes after the end.
  if (!encode(value).equals(reader.bytes)) throw new Malformed('not the one encoding of its value');
  return value;
}

function take(reader, length) {
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new Malformed('it ends too early');
  const taken = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return taken;
}

function argument(reader, info) {
  if (info < 24) return BigInt(info);
  switch (info) {
    case 24: return BigInt(take(reader, 1)[0]);
    case 25: return BigInt(take(reader, 2).readUInt16BE());
    case 26: return BigInt(take(reader, 4).readUInt32BE());
    case 27: return take(reader, 8).readBigUInt64BE();
    default: throw new Malformed('an indefinite length, or none');
  }
}

function read(reader, depth) {
  const first = take(reader, 1)[0];
  const major = first >> 5;
  const info = first & 31;
  if (major === 7) return simple(reader, info);
  const n = argument(reader, info);
  const number = (big) => (big <= SAFE && big >= -SAFE ? Number(big) : big);
  if (major === 0) return number(n);
  if (major === 1) return number(-1n - n);
  if (n > BigInt(reader.bytes.length)) throw new Malformed('it ends too early');
  const length = Number(n);
  if (major === 2) return Buffer.from(take(reader, length));
  if (major === 3) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(reader, length));
    } catch {
      throw new Malformed('a text that is no UTF-8');
    }
  }
  if (depth === DEPTH_MAX) throw new Malformed('nested too deep');
  if (major === 4) return Array.from({ length }, () => read(reader, depth + 1));
  if (major === 5) {
    const map = new Map();
    for (let pair = 0; pair < length; pair += 1) {
      const key = read(reader, depth + 1);
      map.set(key, read(reader, depth + 1));
    }
    return map;
  }
  throw new Malformed('a tag where none may be');
}

function simple(reader, info) {
  switch (info) {
    case 20: return false;
    case 21: return true;
    case 25: return new Float(fromHalf(take(reader, 2).readUInt16BE()));
    case 26: return new Float(take(reader, 4).readFloatBE());
    case 27: return new Float(take(reader, 8).readDoubleBE());
    default: throw new Malformed('null, undefined, or another simple value');
  }
}

function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return NaN; // also infinity: both are refused when they are encoded again
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
