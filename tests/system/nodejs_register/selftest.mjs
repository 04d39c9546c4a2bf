// node selftest.mjs PAGE: checks these modules against every worked example of register-in-another-language.md.
//
// Values are written here as the page's comments tell them; bytes are read from the page. Every block of hex on the
// page must be used, or the test fails.

import { createPublicKey, generateKeyPairSync, verify as cryptoVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Float, decode, encode } from './cbor.mjs';
import { parseSign1, rawSigningKey, sha256, sign, signedBytes, verify, verifySign1, verifyingKey } from './cose.mjs';
import { certificateRequest, readCode, writeCode } from './enrolment.mjs';
import * as hpke from './hpke.mjs';
import { jpegSize } from './jpeg.mjs';
import { consentReceipt, message, newHeader, openBlank, openDown, readOwn, sealInfo, topic } from './messages.mjs';

const [path] = process.argv.slice(2);
if (!path) {
  console.error('usage: node selftest.mjs register-in-another-language.md');
  process.exit(2);
}
const page = readFileSync(path, 'utf8');

const blocks = new Map();
for (const [, name, body] of page.matchAll(/^```hex ([^\n]+)\n([\s\S]*?)^```/gm)) {
  blocks.set(name.trim(), Buffer.from(body.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex'));
}
const unused = new Set(blocks.keys());
let checks = 0;
let failures = 0;

/** A block of the page. */
function $(name) {
  if (!blocks.has(name)) throw new Error(`the page has no block "${name}"`);
  unused.delete(name);
  return blocks.get(name);
}

function ok(what, good) {
  checks += 1;
  if (good) return;
  failures += 1;
  console.error(`not ok: ${what}`);
}

const same = (what, made, block) => ok(`${what} is "${block}"`, Buffer.from(made).equals($(block)));

function refused(what, act) {
  try {
    act();
  } catch {
    return ok(what, true);
  }
  return ok(`${what} is refused`, false);
}

/** `open` must refuse the bytes with any one of them changed. */
function refusesChanges(what, bytes, open) {
  open(bytes);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1 << (at % 8);
    refused(`${what}, byte ${at} changed`, () => open(changed));
  }
}

const hex = (text) => Buffer.from(text, 'hex');

// 1. Keys
const key = rawSigningKey('EdDSA', $('keys register.private'));
same('the public key', key.raw, 'keys register.public');
same('the key id', key.kid, 'keys register.kid');
const es256 = rawSigningKey('ES256', $('keys register-es256.private'), $('keys register-es256.public'));
same('the key id (ES256)', es256.kid, 'keys register-es256.kid');
same('the public point', es256.raw, 'keys register-es256.public');
const anchors = ['receipts', 'consent'].map((purpose) => {
  const anchor = verifyingKey('EdDSA', $(`keys ${purpose}.public`));
  same(`the key id (${purpose})`, anchor.kid, `keys ${purpose}.kid`);
  return { ...anchor, purpose, validFrom: 0, validUntil: 281474976710655 };
});
const picturePrivate = hpke.privateKey($('keys picture.private'));
same('the picture\'s public key', hpke.rawPublic(picturePrivate), 'keys picture.public');
for (const [prefix, der] of [['302a300506032b6570032100', createPublicKey(key.private)],
  ['302a300506032b656e032100', createPublicKey(picturePrivate)]]) {
  ok(`the page's prefix ${prefix}`, page.includes(prefix)
    && der.export({ format: 'der', type: 'spki' }).toString('hex').startsWith(prefix));
}

// 2. CBOR
const numbers = [...page.matchAll(/(?:send |, )([\d.]+) as\s+`([0-9a-f]+)`/g)];
ok('the page\'s three floats', numbers.length === 3);
for (const [, number, bytes] of numbers) {
  ok(`${number} as ${bytes}`, encode(Number(number)).toString('hex') === bytes);
}
ok('1 as a float', encode(new Float(1)).toString('hex') === 'f93c00');
for (const [value, bytes] of [[0, '00'], [23, '17'], [24, '1818'], [255, '18ff'], [256, '190100'], [65535, '19ffff'],
  [65536, '1a00010000'], [4294967295, '1affffffff'], [4294967296, '1b0000000100000000'], [-1, '20'], [-24, '37'],
  [-25, '3818'], [-(2n ** 63n), '3b7fffffffffffffff'], [new Float(65504), 'f97bff'], [new Float(65505), 'fa477fe100'],
  [2 ** -24, 'f90001'], [2 ** -25, 'fa33000000'], [-0, 'f98000'], [0.1, 'fb3fb999999999999a']]) {
  ok(`${value} as ${bytes}`, encode(value).toString('hex') === bytes);
  ok(`${bytes} and back`, encode(decode(hex(bytes))).toString('hex') === bytes);
}
for (const bytes of ['', '1817', '190017', '1b00000000ffffffff', 'fa3f000000', 'f97e00', 'f97c00', 'f6', 'f7', '9f01ff',
  'bf616101ff', 'a2616201616101', 'a2616101616102', 'a2626161016162 01', 'c000', '0000', '61ff', '62', '5f4101ff',
  '818181818181818180', '3b8000000000000000', 'a1410001', 'a1181801']) {
  refused(`CBOR ${bytes || 'of no bytes'}`, () => decode(hex(bytes.replace(' ', ''))));
}
ok('containers nested 8 deep', decode(hex('8181818181818180')).length === 1);

// 3. The code
const [secret] = /secret `([0-9a-f]{30})`/.exec(page).slice(1);
const [authority] = /`([0-9a-f]{64})`, give the code/.exec(page).slice(1);
const [code] = /^`((?:[0-9A-Z]{4}-){10}[0-9A-Z]{4})`$/m.exec(page).slice(1);
ok('the enrolment code is made', writeCode(hex(secret), hex(authority)) === code);
for (const typed of [code, code.toLowerCase().replaceAll('-', ' '), code.replaceAll('1', 'l').replaceAll('0', 'o')]) {
  ok(`the code typed as ${typed}`, readCode(typed).secret.toString('hex') === secret
    && authority.startsWith(readCode(typed).fingerprint.toString('hex')));
}
refused('a mistyped code', () => readCode(`F${code.slice(1)}`));

// A request is made of the key on the page and compared up to its signature, which is another one each time. What is
// signed is the inner SEQUENCE; the outer head has 3 bytes.
const csr = $('enrol csr');
const tlsKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ownPoint = tlsKey.publicKey.export({ format: 'der', type: 'spki' });
const pointAt = csr.indexOf(ownPoint.subarray(0, 26));
const pagePoint = csr.subarray(pointAt, pointAt + ownPoint.length);
const ownRequest = certificateRequest(tlsKey.privateKey);
const inner = csr.subarray(3, 3 + 119);
ok('the request\'s form', ownRequest.subarray(3, 3 + 119).equals(Buffer.from(inner.toString('hex')
  .replace(pagePoint.toString('hex'), ownPoint.toString('hex')), 'hex')));
ok('the algorithm of the request', csr.subarray(122, 134).equals(ownRequest.subarray(122, 134)));
ok('the request\'s signature', cryptoVerify('sha256', inner,
  createPublicKey({ key: pagePoint, format: 'der', type: 'spki' }), csr.subarray(137)));
const enrolSigned = Buffer.concat([Buffer.from('topscoop/1/enrol\0'), sha256(csr)]);
same('what proves the signing key', enrolSigned, 'enrol signed_bytes');
same('the proof', sign(key, enrolSigned), 'enrol proof');

// 5. A blank
const identity = { tenant: 'gelateria-nord', register: 'till-07' };
const blankBytes = $('consent-blank envelope');
const blank = openBlank(blankBytes, identity, anchors);
const blankParts = parseSign1(blankBytes);
same('what signs the blank', signedBytes(blankParts.protectedBytes, 'topscoop/1/consent-blank', blankParts.payload),
  'consent-blank signed_bytes');
same('the blank\'s key', blank.publicKey, 'keys picture.public');
ok('the blank\'s end', blank.usableUntil === 1797776000000);
refusesChanges('the blank', blankBytes, (bytes) => openBlank(bytes, identity, anchors));
refused('a blank of another register', () => openBlank(blankBytes, { ...identity, register: 'till-08' }, anchors));
const consent = blank.id;

// 6. Small messages
const header = (kind, id, seq, at, by = key) => newHeader(kind, identity, by, { id: hex(id), seq, at });
const withdrawal = { consent: hex('256d359e694b506edd060cff079f339c'), withdrawn_at: 1790000060000 };
const withdrawalHeader = header('withdrawal', '9df9776d9e43328dbbfa8b1e81f7a6c6', 43, 1790000060000);
const withdrawalMessage = message(key, withdrawalHeader, withdrawal);
same('the withdrawal', withdrawalMessage, 'up-withdrawal message');
same('its digest', sha256(withdrawalMessage), 'up-withdrawal sha256');
const withdrawalParts = parseSign1(decode(withdrawalMessage)[0]);
same('its header', withdrawalParts.protectedBytes, 'up-withdrawal protected_bytes');
same('its payload', withdrawalParts.payload, 'up-withdrawal payload_bytes');
const withdrawalSigned = signedBytes(withdrawalParts.protectedBytes, 'topscoop/1/up', withdrawalParts.payload);
same('what signs it', withdrawalSigned, 'up-withdrawal signed_bytes');
same('its signature', sign(key, withdrawalSigned), 'up-withdrawal signature');

// Node draws a new number for every ECDSA signature, so all but the signature must be as on the page, and both verify.
const theirs = $('up-withdrawal-es256 message');
for (let round = 0; round < 20; round += 1) {
  const ours = message(es256, header('withdrawal', '9df9776d9e43328dbbfa8b1e81f7a6c6', 43, 1790000060000, es256),
    withdrawal);
  ok('the withdrawal (ES256)', ours.subarray(0, -64).equals(theirs.subarray(0, -64)));
  for (const bytes of [ours, theirs]) verifySign1(parseSign1(decode(bytes)[0]), 'topscoop/1/up', [es256]);
  const { protectedBytes, payload, signature } = parseSign1(decode(ours)[0]);
  const n = BigInt(`0x${/^n = `([0-9a-f]{64})`/m.exec(page)[1]}`);
  const twin = (n - BigInt(`0x${signature.toString('hex', 32)}`)).toString(16).padStart(64, '0');
  ok('the larger s', !verify(es256, signedBytes(protectedBytes, 'topscoop/1/up', payload),
    Buffer.concat([signature.subarray(0, 32), hex(twin)])));
}

const interaction = hex('01a0c4506c007abc8def0123456789ab');
same('the interaction', encode({
  arm: 'model', store: 'harbour', source: 'model', nobody: 0.0078125, shown_at: 1790000000000, total_ms: 1.75,
  slate: [{ flavour: 'pistachio', probability: 0.5 }, { flavour: 'stracciatella', probability: 0.1 },
    { flavour: 'lemon', probability: 1 }],
  scores: [2.25, -0.5, new Float(0), 0.001], propensity: 0.85, interaction, displayed_at: 1790000000040,
  context: [{ name: 'hour', number: new Float(15) }, { name: 'weather', text: 'sunny' }, { name: 'temperature' }],
  in_stock: ['pistachio', 'stracciatella', 'lemon', 'hazelnut'], frame_age_ms: 21.5, inference_ms: 0.25,
  menu_version: 12, model_digest: sha256('topscoop test vector: model').toString('hex'), model_version: '2026.9.1',
}), 'up-interaction payload_bytes');
same('the interaction without a model', encode({
  interaction, store: 'harbour', shown_at: 1790000000000, arm: 'model', source: 'bestsellers', reason: 'no-model',
  slate: [{ flavour: 'pistachio' }, { flavour: 'stracciatella' }, { flavour: 'lemon' }], propensity: 1, total_ms: 0.5,
  menu_version: 0, in_stock: [], context: [],
}), 'up-interaction-no-model payload_bytes');

same('the status', message(key, header('status', 'd8154160bf5102966e3c76ef10c68bcf', 47, 1790000003000),
  { since: 1790000000000, online: true, agent_version: '0.2.0' }), 'up-status message');
same('the report', message(key, header('report', 'b61b20bb460041447bc56ce75184b4b4', 46, 1790000003000), {
  at: 1790000000000, uptime_s: 3600, blanks_left: 12, blanks_wanted: 100, agent_version: '0.2.0', spooled_messages: 3,
  spooled_bytes: 41000, generation: 0, counters: [{ name: 'captured', value: 120 }, { name: 'stored', value: 117 }],
}), 'up-report message');

// 7. The consent receipt
const receipt = {
  blank: blank.bytes, interaction, purposes: ['training', 'evaluation'], language: 'en', method: 'touch',
  notice: hex('57bd58c79afe428e760a2c5a94c1b116b99646687ab06717ffb60c8319b84b53'), granted_at: 1790000002000,
  expires_at: 1821536002000, withdrawal: sha256('7K3M-Q9TX-2VBD-H6RA'),
};
const receiptBytes = consentReceipt(key, receipt);
const receiptParts = parseSign1(receiptBytes);
same('the consent receipt', receiptBytes, 'consent-receipt envelope');
same('its payload', receiptParts.payload, 'consent-receipt payload_bytes');
same('what signs it', signedBytes(receiptParts.protectedBytes, 'topscoop/1/consent-receipt', receiptParts.payload),
  'consent-receipt signed_bytes');
same('the consent', message(key, header('consent', 'c13508d7054e279e6fbea68b10cc5d14', 42, 1790000003000),
  { consent, interaction }, [receiptBytes]), 'up-consent message');

// 8. The picture
const picture = $('seal picture');
const frameHeader = header('frame', 'f66043c0ebb5d2e4eecd4848ee6bee43', 41, 1790000003000);
const ephemeral = hpke.privateKey($('seal ephemeral_private_key'));
const info = sealInfo(frameHeader);
same('the seal\'s info', info, 'seal info');
same('enc', hpke.rawPublic(ephemeral), 'seal enc');
const shared = hpke.sharedSecret(ephemeral, blank.publicKey, $('seal enc'), blank.publicKey);
same('the shared secret', shared, 'seal shared_secret');
same('the seal\'s key', hpke.keyAndNonce(shared, info).key, 'seal key');
same('its nonce', hpke.keyAndNonce(shared, info).nonce, 'seal nonce');
const sealed = hpke.seal(blank.publicKey, info, picture, ephemeral);
same('the sealed picture', sealed, 'seal sealed');
same('the opened picture', hpke.open(picturePrivate, info, sealed), 'seal picture');
same('another seal, opened', hpke.open(picturePrivate, info, hpke.seal(blank.publicKey, info, picture)),
  'seal picture');
refusesChanges('the sealed picture', sealed, (bytes) => hpke.open(picturePrivate, info, bytes));
refused('a public key of small order', () => hpke.seal(Buffer.alloc(32), info, picture));
const size = jpegSize(picture);
ok('the picture\'s size', size.width === 16 && size.height === 16);
const frame = message(key, frameHeader, { ...size, consent, captured_at: 1789999999600, interaction,
  picture_bytes: sealed.length - hpke.OVERHEAD_BYTES }, [receiptBytes, sealed]);
const frameParts = parseSign1(decode(frame)[0]);
same('the frame\'s header', frameParts.protectedBytes, 'up-frame protected_bytes');
same('its payload', frameParts.payload, 'up-frame payload_bytes');
same('the frame', frame, 'up-frame message');
same('its digest', sha256(frame), 'up-frame sha256');
ok('the frame as a spool reads it', readOwn(frame).kind === 'frame'
  && readOwn(frame).payload.get('consent').equals(consent));

// 9. and 10. What comes down
const opened = (name, kind) => {
  const open = (bytes) => openDown(topic(identity, 'down', kind), bytes, identity, anchors);
  const bytes = $(name);
  refusesChanges(name, bytes, open);
  refused(`${name} on another topic`, () => openDown(topic(identity, 'down', kind === 'erase' ? 'blanks' : 'erase'),
    bytes, identity, anchors));
  const other = { ...identity, register: 'till-08' };
  refused(`${name} of another register`, () => openDown(topic(other, 'down', kind), bytes, other, anchors));
  refused(`${name} after its key`, () => openDown(topic(identity, 'down', kind), bytes, identity,
    anchors.map((anchor) => ({ ...anchor, validUntil: 1790000000000 }))));
  return open(bytes).content;
};
const stored = opened('down-receipt message', 'receipt');
same('the receipt\'s payload', encode(stored), 'down-receipt payload_bytes');
ok('the receipt', stored.verdict === 'stored' && stored.version === '3HL4kqtJlcpXroDTDmjVBH40Nrjfkd'
  && stored.sha256.equals(sha256(frame)) && stored.message.equals(frameHeader.get('id'))
  && stored.received_at === 1790000005000);
const refusal = opened('down-receipt-refused message', 'receipt');
ok('the refusal', refusal.verdict === 'refused' && refusal.reason === 'consent-withdrawn');
ok('the erasure', opened('down-erase message', 'erase').consents[0].equals(consent));

for (const name of unused) ok(`block "${name}" of the page is used`, false);
console.log(`${blocks.size} blocks, ${checks} checks, ${failures} failed`);
process.exit(failures ? 1 : 0);
