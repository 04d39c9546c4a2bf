// HPKE (RFC 9180), base mode, as the protocol wants it: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM,
// one message for each key agreement, no additional data.

import { createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman,
  generateKeyPairSync } from 'node:crypto';

export const OVERHEAD_BYTES = 48; // 32 of `enc`, 16 of the tag

const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex');
const KEM = Buffer.concat([Buffer.from('KEM'), Buffer.from('0020', 'hex')]);
const HPKE = Buffer.concat([Buffer.from('HPKE'), Buffer.from('002000010002', 'hex')]);
const NOTHING = Buffer.alloc(0);

export function privateKey(raw) {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, raw]), format: 'der', type: 'pkcs8' });
}

export function publicKey(raw) {
  return createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
}

/** The 32 bytes of the public half of a private or public key. */
export function rawPublic(key) {
  const whole = key.type === 'private' ? createPublicKey(key) : key;
  return whole.export({ format: 'der', type: 'spki' }).subarray(-32);
}

function hmac(key, ...parts) {
  return createHmac('sha256', key).update(Buffer.concat(parts)).digest();
}

function labeledExtract(suite, salt, label, input) {
  // HMAC pads its key with zeros, so an empty salt is the same as 32 zero bytes.
  return hmac(salt.length ? salt : Buffer.alloc(32), Buffer.from('HPKE-v1'), suite, Buffer.from(label), input);
}

function labeledExpand(suite, prk, label, info, length) {
  // One round of HKDF is enough: nothing here is longer than 32 bytes.
  return hmac(prk, Buffer.of(length >> 8, length & 255), Buffer.from('HPKE-v1'), suite, Buffer.from(label), info,
    Buffer.of(1)).subarray(0, length);
}

/** The secret of both sides: `own` is a private KeyObject, `other` 32 bytes; `enc` and `recipient` are public. */
export function sharedSecret(own, other, enc, recipient) {
  const dh = diffieHellman({ privateKey: own, publicKey: publicKey(other) });
  if (dh.every((byte) => byte === 0)) throw new Error('a public key of small order: nothing is sealed to it');
  const prk = labeledExtract(KEM, NOTHING, 'eae_prk', dh);
  return labeledExpand(KEM, prk, 'shared_secret', Buffer.concat([enc, recipient]), 32);
}

export function keyAndNonce(secretOfBoth, info) {
  const context = Buffer.concat([Buffer.of(0), labeledExtract(HPKE, NOTHING, 'psk_id_hash', NOTHING),
    labeledExtract(HPKE, NOTHING, 'info_hash', info)]);
  const secret = labeledExtract(HPKE, secretOfBoth, 'secret', NOTHING); // the shared secret is the salt here
  return { key: labeledExpand(HPKE, secret, 'key', context, 32),
    nonce: labeledExpand(HPKE, secret, 'base_nonce', context, 12) };
}

/** enc ‖ ciphertext ‖ tag. `ephemeral` is for worked examples only: it must be a new key for every seal. */
export function seal(recipient, info, plaintext, ephemeral = generateKeyPairSync('x25519').privateKey) {
  const enc = rawPublic(ephemeral);
  const { key, nonce } = keyAndNonce(sharedSecret(ephemeral, recipient, enc, recipient), info);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([enc, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The way back. No register can go it, as it has no private half; the self-test goes it. */
export function open(recipientPrivate, info, sealed) {
  const enc = sealed.subarray(0, 32);
  const { key, nonce } = keyAndNonce(sharedSecret(recipientPrivate, enc, enc, rawPublic(recipientPrivate)), info);
  const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(32, -16)), cipher.final()]);
}
