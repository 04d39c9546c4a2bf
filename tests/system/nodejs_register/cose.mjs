// Keys, key ids, and COSE_Sign1 (RFC 9052) as the protocol uses it: tag 18, nothing in the unprotected header, and an
// external AAD that says what the signature is for, so that nothing signed for one use passes for another.

import { createHash, createPrivateKey, createPublicKey, sign as cryptoSign,
  verify as cryptoVerify } from 'node:crypto';
import { Malformed, decode, encode } from './cbor.mjs';

export const LABEL = { algorithm: 1, contentType: 3, kid: 4 };

const ALGORITHMS = { EdDSA: { cose: -8, name: 'EDDSA' }, ES256: { cose: -7, name: 'ES256' } };
const ED25519_PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const ED25519_PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const TAG_18 = 0xd2;

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

// -------------------------------------------------------------------------------------------------------------- keys

/** A key to verify with. `raw`: 32 bytes of Ed25519, or the 65 of an uncompressed point of P-256. */
export function verifyingKey(algorithm, raw) {
  const { cose, name } = ALGORITHMS[algorithm] ?? fail(`unknown algorithm ${algorithm}`);
  const key = algorithm === 'EdDSA'
    ? createPublicKey({ key: Buffer.concat([ED25519_PUBLIC_DER, raw]), format: 'der', type: 'spki' })
    : createPublicKey({ key: p256(raw), format: 'jwk' });
  // In a key id the algorithm's name is in capitals, also where JSON says `EdDSA`.
  return { algorithm, cose, raw, public: key, kid: sha256(name, Buffer.of(0), raw).subarray(0, 16) };
}

/** A key to sign with, from a private KeyObject. */
export function signingKey(key) {
  const algorithm = { ed25519: 'EdDSA', ec: 'ES256' }[key.asymmetricKeyType];
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { ...verifyingKey(algorithm, spki.subarray(algorithm === 'EdDSA' ? -32 : -65)), private: key };
}

/** The same from the bare numbers of the worked examples. */
export function rawSigningKey(algorithm, rawPrivate, rawPublic) {
  return signingKey(algorithm === 'EdDSA'
    ? createPrivateKey({ key: Buffer.concat([ED25519_PRIVATE_DER, rawPrivate]), format: 'der', type: 'pkcs8' })
    : createPrivateKey({ key: { ...p256(rawPublic), d: rawPrivate.toString('base64url') }, format: 'jwk' }));
}

function p256(raw) {
  if (raw.length !== 65 || raw[0] !== 4) fail('a key on P-256 is the 65 bytes of an uncompressed point');
  return { kty: 'EC', crv: 'P-256', x: raw.subarray(1, 33).toString('base64url'),
    y: raw.subarray(33).toString('base64url') };
}

function fail(why) {
  throw new Error(why);
}

// -------------------------------------------------------------------------------------------------------- signatures

/** 64 bytes: Ed25519 of the bytes as they are, or r ‖ s of ECDSA over their SHA-256. */
export function sign(key, bytes) {
  if (key.algorithm === 'EdDSA') return cryptoSign(null, bytes, key.private);
  const signature = cryptoSign('sha256', bytes, { key: key.private, dsaEncoding: 'ieee-p1363' });
  // Both s and n − s would verify. Only the smaller is taken, or a courier could change a message's bytes.
  const s = number(signature.subarray(32));
  if (s > P256_ORDER / 2n) Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex').copy(signature, 32);
  return signature;
}

export function verify(key, bytes, signature) {
  if (signature.length !== 64) return false;
  if (key.algorithm === 'EdDSA') return cryptoVerify(null, bytes, key.public, signature);
  if (number(signature.subarray(32)) > P256_ORDER / 2n) return false;
  return cryptoVerify('sha256', bytes, { key: key.public, dsaEncoding: 'ieee-p1363' }, signature);
}

function number(bytes) {
  return BigInt(`0x${bytes.toString('hex')}`);
}

// -------------------------------------------------------------------------------------------------------- COSE_Sign1

/** The bytes that a signature is over: the Sig_structure of RFC 9052. */
export function signedBytes(protectedBytes, aad, payload) {
  return encode(['Signature1', protectedBytes, Buffer.from(aad), payload]);
}

/** An envelope around a payload (bytes). `header` is a Map; label 1, the algorithm, is the key's to say. */
export function sign1(key, header, aad, payload) {
  const protectedBytes = encode(new Map([...header, [LABEL.algorithm, key.cose]]));
  const signature = sign(key, signedBytes(protectedBytes, aad, payload));
  return Buffer.concat([Buffer.of(TAG_18), encode([protectedBytes, new Map(), payload, signature])]);
}

/** An envelope's parts; its signature is not verified yet. */
export function parseSign1(bytes) {
  if (bytes[0] !== TAG_18) throw new Malformed('no COSE_Sign1: tag 18 is missing');
  const parts = decode(bytes.subarray(1));
  if (!Array.isArray(parts) || parts.length !== 4) throw new Malformed('no array of four in the envelope');
  const [protectedBytes, unprotected, payload, signature] = parts;
  if (![protectedBytes, payload, signature].every(Buffer.isBuffer)) throw new Malformed('no bytes in the envelope');
  if (!(unprotected instanceof Map) || unprotected.size) throw new Malformed('something is in the unprotected header');
  const header = decode(protectedBytes);
  if (!(header instanceof Map)) throw new Malformed('the protected header is no map');
  return { header, protectedBytes, payload, signature };
}

/** Throws unless one of these keys signed the envelope: the one that its header names, with that key's algorithm. */
export function verifySign1(envelope, aad, keys) {
  const kid = envelope.header.get(LABEL.kid);
  const key = Buffer.isBuffer(kid) && keys.find((one) => one.kid.equals(kid));
  if (!key) throw new Malformed('signed with a key that is not known for this purpose');
  if (envelope.header.get(LABEL.algorithm) !== key.cose) throw new Malformed('not the algorithm of its key');
  if (!verify(key, signedBytes(envelope.protectedBytes, aad, envelope.payload), envelope.signature)) {
    throw new Malformed('its signature does not fit');
  }
  return key;
}
