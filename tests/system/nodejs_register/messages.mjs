// What goes up and what comes down: headers, messages, consent blanks and receipts.

import { Malformed, decode, encode } from './cbor.mjs';
import { LABEL, parseSign1, sha256, sign1, verifySign1 } from './cose.mjs';

const AAD = { up: 'topscoop/1/up', down: 'topscoop/1/down', blank: 'topscoop/1/consent-blank',
  receipt: 'topscoop/1/consent-receipt' };
const MESSAGE_MAX = 131072;
const BLANK_MAX = 1024;
const CONSENT_RECEIPT_MAX = 4096;
const HEADER_MAX = 1024;
const TIME_MAX = 281474976710655;

export function topic(identity, direction, kind) {
  return `topscoop/v1/${identity.tenant}/${identity.register}/${direction}/${kind}`;
}

const contentType = (kind) => `application/vnd.topscoop.${kind}+cbor`;

// ------------------------------------------------------------------------------------------------------------ going up

/**
 * A header without the algorithm and the digests of attachments. That is exactly what a frame's seal is bound to, so a
 * frame can have its header before it has its sealed picture.
 */
export function newHeader(kind, identity, key, { id, seq, at }) {
  return new Map([[LABEL.contentType, contentType(kind)], [LABEL.kid, key.kid], ['v', 1], ['at', at], ['id', id],
    ['seq', seq], ['tenant', identity.tenant], ['register', identity.register]]);
}

export function sealInfo(header) {
  return Buffer.concat([Buffer.from('topscoop/1/seal\0'), encode(header)]);
}

/** A whole MQTT payload: an array of the signed envelope and its attachments. `payload` is a plain object. */
export function message(key, header, payload, attachments = []) {
  const complete = new Map([...header, ['attached', attachments.map((one) => sha256(one))]]);
  const bytes = encode([sign1(key, complete, AAD.up, encode(payload)), ...attachments]);
  if (bytes.length > MESSAGE_MAX) throw new Error(`a message of ${bytes.length} bytes is too large`);
  return bytes;
}

/** What one of our own messages says, for a spool that was read from disk. */
export function readOwn(bytes) {
  const { header, payload } = parseSign1(decode(bytes)[0]);
  const kind = /^application\/vnd\.topscoop\.([a-z]+)\+cbor$/.exec(header.get(LABEL.contentType))[1];
  return { kind, header, payload: decode(payload) };
}

/** The customer's yes: a blank, filled. */
export function consentReceipt(key, fields) {
  const envelope = sign1(key, new Map([[LABEL.kid, key.kid]]), AAD.receipt, encode(fields));
  if (envelope.length > CONSENT_RECEIPT_MAX) throw new Error('the consent receipt is too large');
  return envelope;
}

// --------------------------------------------------------------------------------------------------------- coming down

const is = {
  bytes: (length) => (value) => Buffer.isBuffer(value) && value.length === length,
  time: (value) => Number.isInteger(value) && value >= 0 && value <= TIME_MAX,
  text: (most) => (value) => typeof value === 'string' && [...value].length <= most
    && !/[\p{C}\p{Z}]/u.test(value.replaceAll(' ', '')),
  name: (value) => typeof value === 'string' && /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(value),
  list: (least, most, each = () => true) => (value) => Array.isArray(value) && value.length >= least
    && value.length <= most && value.every(each),
};

const BLANK = { blank: is.bytes(16), tenant: is.name, register: is.name, public_key: is.bytes(32), issued_at: is.time,
  usable_until: is.time };

const DOWN = {
  receipt: {
    purpose: 'receipts', most: 24576, optional: ['version', 'reason', 'retry_after_ms'],
    fields: { message: is.bytes(16), sha256: is.bytes(32), received_at: is.time, version: is.text(256),
      verdict: (value) => ['stored', 'refused', 'gone', 'retry'].includes(value), reason: is.name,
      retry_after_ms: (value) => Number.isInteger(value) && value >= 0 && value <= 3600000 },
  },
  blanks: {
    purpose: 'consent', most: 98304, optional: [],
    fields: { blanks: is.list(0, 200, (one) => Buffer.isBuffer(one) && one.length >= 1 && one.length <= BLANK_MAX) },
  },
  erase: { purpose: 'consent', most: 24576, optional: [], fields: { consents: is.list(1, 200, is.bytes(16)) } },
};

/** A payload as a plain object, if it has these fields, and no others. */
function fieldsOf(payload, fields, optional = []) {
  const map = decode(payload);
  if (!(map instanceof Map)) throw new Malformed('its payload is no map');
  for (const [name, value] of map) {
    if (!Object.hasOwn(fields, name) || !fields[name](value)) {
      throw new Malformed(`its field ${name} is not as it must be`);
    }
  }
  for (const name of Object.keys(fields)) {
    if (!map.has(name) && !optional.includes(name)) throw new Malformed(`its field ${name} is missing`);
  }
  return Object.fromEntries(map);
}

function labelsMustBe(header, labels) {
  if (header.size !== labels.length || !labels.every((label) => header.has(label))) {
    throw new Malformed('its protected header has other labels');
  }
}

/** What came on a topic, believed; throws Malformed where it must not be. `anchors`: see `anchorsOf`. */
export function openDown(onTopic, bytes, identity, anchors) {
  if (bytes.length > MESSAGE_MAX) throw new Malformed('it is too large');
  const parts = decode(bytes);
  if (!Array.isArray(parts) || parts.length !== 1 || !Buffer.isBuffer(parts[0])) {
    throw new Malformed('no array of one envelope');
  }
  const envelope = parseSign1(parts[0]);
  const { header, payload } = envelope;
  if (envelope.protectedBytes.length > HEADER_MAX) throw new Malformed('its header is too large');
  labelsMustBe(header, [1, 3, 4, 'v', 'at', 'id', 'seq', 'tenant', 'attached', 'register']);
  if (header.get('v') !== 1) throw new Malformed('another schema version');
  const kind = Object.keys(DOWN).find((one) => topic(identity, 'down', one) === onTopic);
  if (!kind || header.get(LABEL.contentType) !== contentType(kind) || header.get('tenant') !== identity.tenant
    || header.get('register') !== identity.register) throw new Malformed('not what its topic says');
  if (!is.bytes(16)(header.get('id')) || !is.time(header.get('at')) || header.get('seq') !== 0
    || !is.list(0, 0)(header.get('attached'))) throw new Malformed('its header is not as it must be');
  const { purpose, most, fields, optional } = DOWN[kind];
  if (payload.length > most) throw new Malformed('its payload is too large');
  const anchor = verifySign1(envelope, AAD.down, anchors.filter((one) => one.purpose === purpose));
  const at = header.get('at');
  if (at < anchor.validFrom || at > anchor.validUntil) throw new Malformed('signed outside of its key\'s time');
  const content = fieldsOf(payload, fields, optional);
  if (kind === 'receipt') {
    if (!content.message.equals(header.get('id'))) throw new Malformed('its id is not that of the answered message');
    if ((content.reason !== undefined) !== (content.verdict === 'refused')) throw new Malformed('a wrong reason');
    if (content.retry_after_ms !== undefined && content.verdict !== 'retry') throw new Malformed('a wrong wait');
  }
  return { kind, header, content };
}

/** A consent blank, believed. */
export function openBlank(bytes, identity, anchors) {
  if (bytes.length > BLANK_MAX) throw new Malformed('a blank that is too large');
  const envelope = parseSign1(bytes);
  labelsMustBe(envelope.header, [LABEL.algorithm, LABEL.kid]);
  verifySign1(envelope, AAD.blank, anchors.filter((one) => one.purpose === 'consent'));
  const content = fieldsOf(envelope.payload, BLANK);
  if (content.tenant !== identity.tenant || content.register !== identity.register) {
    throw new Malformed('a blank of another register');
  }
  return { id: content.blank, publicKey: content.public_key, usableUntil: content.usable_until, bytes };
}
