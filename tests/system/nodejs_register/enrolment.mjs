// From a one-time code to an identity.

import { X509Certificate, createPrivateKey, createPublicKey, sign as cryptoSign } from 'node:crypto';
import { request } from 'node:https';
import { sha256, sign } from './cose.mjs';

const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'; // Crockford's base 32: no I, L, O, U
const ANSWER_MAX = 1 << 20;

// ---------------------------------------------------------------------------------------------------------- the code

/** Bytes as base 32, five bits a symbol, the first the highest. */
export function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => SYMBOLS[parseInt(five, 2)]).join('');
}

export function groups(symbols) {
  return symbols.match(/.{4}/g).join('-');
}

function check(symbols) {
  return base32(sha256('topscoop/1/enrolment-code', Buffer.of(0), symbols).subarray(0, 5)).slice(0, 4);
}

/** What a person typed: {text, secret, fingerprint}; throws where it cannot be a code. */
export function readCode(typed) {
  const symbols = typed.replace(/[\s-]/g, '').toUpperCase().replace(/[IL]/g, '1').replace(/O/g, '0');
  if (symbols.length !== 44 || [...symbols].some((one) => !SYMBOLS.includes(one))) {
    throw new Error('This is no enrolment code: it has 44 letters and digits, in groups of four.');
  }
  if (check(symbols.slice(0, 40)) !== symbols.slice(40)) {
    throw new Error('The code was mistyped: its last four characters do not fit the others.');
  }
  const bits = [...symbols.slice(0, 40)].map((one) => SYMBOLS.indexOf(one).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g).map((eight) => parseInt(eight, 2)));
  return { text: groups(symbols), secret: bytes.subarray(0, 15), fingerprint: bytes.subarray(15) };
}

/** The code of a secret and the SHA-256 of an authority; for the self-test. */
export function writeCode(secret, authority) {
  const symbols = base32(Buffer.concat([secret, authority.subarray(0, 10)]));
  return groups(symbols + check(symbols));
}

// ------------------------------------------------------------------------------------------- the certificate request

function der(tag, ...contents) {
  const content = Buffer.concat(contents);
  const n = content.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

const ECDSA_WITH_SHA256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'));
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** A PKCS #10 request (DER) for a TLS key on P-256. Node has no function for it. Its subject is ignored. */
export function certificateRequest(privateKey) {
  const info = der(0x30, der(0x02, Buffer.of(0)),
    der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from('register'))))),
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    der(0xa0)); // no attributes
  return der(0x30, info, ECDSA_WITH_SHA256, der(0x03, Buffer.of(0), cryptoSign('sha256', info, privateKey)));
}

export function pem(label, bytes) {
  const lines = bytes.toString('base64').match(/.{1,64}/g).join('\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

// -------------------------------------------------------------------------------------------------------------- HTTPS

function ask(url, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { minVersion: 'TLSv1.2', timeout: 20000, agent: false, ...options }, (answer) => {
      const parts = [];
      let length = 0;
      answer.on('data', (part) => {
        length += part.length;
        if (length > ANSWER_MAX) sent.destroy(new Error('the answer is too long'));
        parts.push(part);
      });
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString('utf8') }));
      answer.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in 20 seconds')));
    sent.on('error', (error) => reject(new Error(`${url}: ${error.message}`)));
    sent.end(body);
  });
}

/** The services' authority (PEM), believed because the code names it. */
export async function fetchAuthority(url, code) {
  // The one connection that believes nobody; nothing secret goes over it.
  const { status, text } = await ask(`${url}/v1/ca`, { rejectUnauthorized: false });
  if (status !== 200) throw new Error(`${url}/v1/ca answers ${status}.`);
  mustBeAuthority(text, code);
  return text;
}

function mustBeAuthority(certificatePem, code) {
  const { raw } = new X509Certificate(certificatePem);
  if (!sha256(raw).subarray(0, 10).equals(code.fingerprint)) {
    throw new Error('The server\'s authority is not the one in the code. Is it the right URL? Nothing was sent to it.');
  }
}

/** Enrols; the answer as it came. `csr` is DER, `key` the signing key of cose.mjs. */
export async function enrol(url, code, { csr, key, tlsKeyPem, agentVersion }) {
  const authority = await fetchAuthority(url, code);
  const body = JSON.stringify({
    code: code.text, csr_pem: pem('CERTIFICATE REQUEST', csr),
    signing_key: { algorithm: key.algorithm, public: key.raw.toString('base64'),
      proof: sign(key, Buffer.concat([Buffer.from('topscoop/1/enrol\0'), sha256(csr)])).toString('base64') },
    agent_version: agentVersion,
  });
  const { status, text } = await ask(`${url}/v1/enrolments`, { method: 'POST', ca: [authority],
    headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, body);
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`The enrolment service answers ${status}, and no JSON.`);
  }
  if (status !== 201) {
    throw new Error(`Not enrolled (${status}): ${answer.detail ?? answer.title ?? text} ${answer.remedy ?? ''}`.trim());
  }
  mustBeAuthority(answer.ca_pem, code);
  if (!new X509Certificate(answer.certificate_pem).checkPrivateKey(createPrivateKey(tlsKeyPem))) {
    throw new Error('The certificate that came is not for this register\'s key.');
  }
  return answer;
}
