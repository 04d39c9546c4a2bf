// node register.mjs --url https://HOST:PORT --code CODE --folder STATE --picture FILE.jpg [--json]
//
// A register in Node.js: enrols if STATE holds no identity yet, sells to one customer who consents, and waits until the
// cloud has signed for everything.

import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { sha256 } from './cose.mjs';
import { base32, enrol, groups, readCode } from './enrolment.mjs';
import { OVERHEAD_BYTES, seal } from './hpke.mjs';
import { jpegSize } from './jpeg.mjs';
import { consentReceipt, sealInfo } from './messages.mjs';
import { State } from './state.mjs';
import { Uplink } from './uplink.mjs';

const AGENT_VERSION = '1.0.0';
const DAY_MS = 86400000;
const WAIT_MS = 180000;
const CLOCK_OFF_MS = 60000;
const NOTICE = 'May we keep this picture for 365 days, to train the recommendation? You can take it back at any time.';

const say = (line) => console.error(line);

/** A UUID version 7, as 16 bytes: its first 48 bits are the time. */
function interactionId(at) {
  const id = randomBytes(16);
  id.writeUIntBE(at, 0, 6);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return id;
}

async function enrolOnce(state, url, typed) {
  if (state.identity) return;
  if (!url || !typed) throw new Error('This register is not enrolled: --url and --code are needed.');
  const answer = await enrol(url.replace(/\/+$/, ''), readCode(typed), { csr: state.csr, key: state.key,
    tlsKeyPem: state.tlsKeyPem, agentVersion: AGENT_VERSION });
  state.keepEnrolment(answer);
  say(`Enrolled as ${answer.tenant}/${answer.register} with ${answer.blanks.length} consent blanks.`);
  const off = Date.now() - answer.server_time_ms;
  if (Math.abs(off) > CLOCK_OFF_MS) {
    say(`Set the clock: it differs from the cloud's by ${Math.round(off / 1000)} seconds.`);
  }
}

/** One customer: recommendation, consent, picture, sale. Resolves with the receipts by kind. */
async function sell(state, uplink, picture) {
  const { store } = state.identity;
  const size = jpegSize(picture);
  const capturedAt = Date.now();
  const shownAt = Date.now();
  const interaction = interactionId(shownAt);
  const answers = {};

  // Without a model every register shows best-sellers; they are certain, so the propensity is 1.
  answers.interaction = uplink.post('interaction', uplink.header('interaction', interaction), {
    interaction, store, shown_at: shownAt, slate: [{ flavour: 'lemon' }, { flavour: 'mango' }], arm: 'bestsellers',
    source: 'bestsellers', reason: 'no-model', propensity: 1, menu_version: 1, in_stock: ['lemon', 'mango'],
    context: [{ name: 'hour', number: new Date(shownAt).getHours() }], total_ms: 0.25,
  });

  // The customer says yes. The blank is out of the stock before it is filled.
  const blank = await uplink.blank();
  const consent = blank.id;
  const slip = groups(base32(randomBytes(10)));
  const grantedAt = Date.now();
  const receipt = consentReceipt(state.key, {
    blank: blank.bytes, interaction, purposes: ['training'], notice: sha256(NOTICE), language: 'en', method: 'spoken',
    granted_at: grantedAt, expires_at: grantedAt + 365 * DAY_MS, withdrawal: sha256(slip),
  });
  say(`For the customer's slip: consent ${consent.toString('hex')}, withdrawal code ${slip}`);
  answers.consent = uplink.post('consent', uplink.header('consent'), { consent, interaction }, [receipt]);

  // The header comes first: the seal is bound to its id, number and time.
  const header = uplink.header('frame');
  const sealed = seal(blank.publicKey, sealInfo(header), picture);
  picture.fill(0);
  answers.frame = uplink.post('frame', header, { interaction, consent, captured_at: capturedAt, ...size,
    picture_bytes: sealed.length - OVERHEAD_BYTES }, [receipt, sealed]);

  const outcome = randomBytes(16);
  const soldAt = Date.now();
  answers.outcome = uplink.post('outcome', uplink.header('outcome', outcome), {
    outcome, store, sold_at: soldAt, lines: [{ flavour: 'lemon', quantity: 2 }], interaction,
    receipt_hmac: createHmac('sha256', state.receiptKey).update(`sale ${outcome.toString('hex')}`).digest(),
    since_shown_ms: soldAt - shownAt,
  });

  const receipts = {};
  for (const kind of ['consent', 'frame', 'interaction', 'outcome']) receipts[kind] = await answers[kind];
  return { consent, receipts };
}

async function main() {
  const { values } = parseArgs({ options: { url: { type: 'string' }, code: { type: 'string' },
    folder: { type: 'string' }, picture: { type: 'string' }, json: { type: 'boolean' } } });
  if (!values.folder || !values.picture) throw new Error('--folder and --picture are needed.');
  const picture = readFileSync(values.picture);
  jpegSize(picture); // before a code is used up for nothing

  const state = new State(values.folder);
  await enrolOnce(state, values.url, values.code);
  const uplink = new Uplink(state, AGENT_VERSION, say);
  const late = new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`Not everything has a receipt after ${WAIT_MS / 1000} seconds; it stays `
      + 'spooled, and the next start sends it again.')), WAIT_MS).unref();
  });
  try {
    await Promise.race([uplink.start(), late]);
    const { consent, receipts } = await Promise.race([sell(state, uplink, picture), late]);
    await Promise.race([uplink.settled(), late]);
    const bad = Object.entries(receipts).filter(([, one]) => one.verdict !== 'stored');
    if (bad.length) {
      throw new Error(`Not stored: ${bad.map(([kind, one]) => `${kind} (${one.reason ?? one.verdict})`).join(', ')}.`);
    }
    const result = { stored: Object.keys(receipts), frame_version: receipts.frame.version,
      consent: consent.toString('hex') };
    console.log(values.json ? JSON.stringify(result)
      : `Stored: ${result.stored.join(', ')}; the frame is version ${result.frame_version}.`);
  } finally {
    await uplink.end();
  }
}

main().then(() => process.exit(0), (error) => {
  say(error.message);
  process.exit(1);
});
