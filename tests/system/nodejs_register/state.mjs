// What a register must not forget: keys, identity, blanks, counters, and every message that has no receipt yet.

import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, unlinkSync,
  writeSync } from 'node:fs';
import { join } from 'node:path';
import { signingKey, verifyingKey } from './cose.mjs';
import { certificateRequest } from './enrolment.mjs';
import { readOwn } from './messages.mjs';

const FRAME_MAX_AGE_MS = 2592000000;

/** Written and synced under another name, then renamed: after a power cut there is the old file or the new one. */
function writeDurably(folder, name, content) {
  const temporary = join(folder, `.${name}.new`);
  const file = openSync(temporary, 'w', 0o600);
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, join(folder, name));
  syncFolder(folder);
}

function syncFolder(folder) {
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

export class State {
  constructor(folder) {
    this.folder = folder;
    this.spoolFolder = join(folder, 'spool');
    mkdirSync(this.spoolFolder, { recursive: true, mode: 0o700 });
    // Keys and request are kept before the first try to enrol: whoever loses the answer asks again with the same ones.
    this.#make('tls.key', () => pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' })));
    this.#make('signing.key', () => pkcs8(generateKeyPairSync('ed25519')));
    this.#make('receipt.key', () => randomBytes(32));
    this.tlsKeyPem = this.#read('tls.key').toString();
    this.#make('tls.csr', () => certificateRequest(createPrivateKey(this.tlsKeyPem)));
    this.csr = this.#read('tls.csr');
    this.key = signingKey(createPrivateKey(this.#read('signing.key')));
    this.receiptKey = this.#read('receipt.key');
    this.#load();
  }

  #read(name) { return readFileSync(join(this.folder, name)); }

  #make(name, content) {
    if (!existsSync(join(this.folder, name))) writeDurably(this.folder, name, content());
  }

  #load() {
    if (!existsSync(join(this.folder, 'enrolment.json'))) return;
    this.identity = JSON.parse(this.#read('enrolment.json'));
    this.anchors = this.identity.anchors.map((one) => ({
      ...verifyingKey(one.algorithm, Buffer.from(one.public, 'base64')), purpose: one.purpose,
      validFrom: one.valid_from_ms, validUntil: one.valid_until_ms,
    }));
    this.#make('counters.json', () => JSON.stringify({ seq: 0 }));
    this.#make('blanks.json', () => JSON.stringify(this.identity.blanks));
    this.counters = JSON.parse(this.#read('counters.json'));
    this.blanks = JSON.parse(this.#read('blanks.json'));
  }

  keepEnrolment(answer) {
    writeDurably(this.folder, 'enrolment.json', JSON.stringify(answer, null, 1));
    this.#load();
  }

  /** The next sequence number; on the disk before it is used, as it may never come twice. */
  nextSeq() {
    this.counters.seq += 1;
    writeDurably(this.folder, 'counters.json', JSON.stringify(this.counters));
    return this.counters.seq;
  }

  addBlanks(blanks) {
    const added = blanks.map((one) => one.toString('base64')).filter((one) => !this.blanks.includes(one));
    this.blanks.push(...added);
    writeDurably(this.folder, 'blanks.json', JSON.stringify(this.blanks));
  }

  /** Takes a blank out of the stock, durably, before anybody may fill it. */
  takeBlank() {
    if (!this.blanks.length) return undefined;
    const taken = this.blanks.shift();
    writeDurably(this.folder, 'blanks.json', JSON.stringify(this.blanks));
    return Buffer.from(taken, 'base64');
  }

  /** A name that sorts by sequence number. */
  spool(seq, bytes) {
    const name = `${String(seq).padStart(16, '0')}.cbor`;
    writeDurably(this.spoolFolder, name, bytes);
    return name;
  }

  unspool(name) {
    unlinkSync(join(this.spoolFolder, name));
    syncFolder(this.spoolFolder);
  }

  /** All that has no receipt yet, in order; frames that are too old are deleted instead. */
  spooled(onTooOld) {
    const rows = [];
    for (const name of readdirSync(this.spoolFolder).filter((one) => /^\d+\.cbor$/.test(one)).sort()) {
      const bytes = readFileSync(join(this.spoolFolder, name));
      const own = readOwn(bytes);
      if (own.kind === 'frame' && Date.now() - own.header.get('at') > FRAME_MAX_AGE_MS) {
        this.unspool(name);
        onTooOld(own);
      } else {
        rows.push({ name, bytes, kind: own.kind, id: own.header.get('id'), consent: own.payload.get('consent') });
      }
    }
    return rows;
  }
}

function pkcs8({ privateKey }) {
  return privateKey.export({ format: 'pem', type: 'pkcs8' });
}
