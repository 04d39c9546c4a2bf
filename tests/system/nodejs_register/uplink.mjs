// The connection to the broker, and what waits for a signed receipt.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import mqtt from 'mqtt';
import { sha256 } from './cose.mjs';
import { message, newHeader, openBlank, openDown, topic } from './messages.mjs';

const FIRST_WAIT_MS = 30000; // without a receipt for so long: the same bytes again
const LONGEST_WAIT_MS = 300000;
const REPORT_EVERY_MS = 60000;
const BLANKS_WANTED = 10;
const NOBODY_SUBSCRIBES = 0x10;

export class Uplink {
  /** `say` takes a line for the operator. */
  constructor(state, agentVersion, say) {
    Object.assign(this, { state, agentVersion, say, waiting: new Map(), counts: {}, started: Date.now() });
    for (const row of state.spooled(() => this.#count('too old'))) this.#await(row);
  }

  #count(what) { this.counts[what] = (this.counts[what] ?? 0) + 1; }

  #topic(direction, kind) { return topic(this.state.identity, direction, kind); }

  /** Id, sequence number and time of a new message. */
  header(kind, id = randomBytes(16)) {
    return newHeader(kind, this.state.identity, this.state.key, { id, seq: this.state.nextSeq(), at: Date.now() });
  }

  #small(kind, payload) {
    return message(this.state.key, this.header(kind), { agent_version: this.agentVersion, ...payload });
  }

  // ----------------------------------------------------------------------------------------------------- connecting

  /** Keeps a connection until `end`; the promise is fulfilled with the first one. */
  start() {
    return new Promise((resolve, reject) => {
      const keep = async () => {
        for (let failures = 0; !this.ended;) {
          try {
            const { closed } = await this.#connect();
            failures = 0;
            resolve();
            await closed;
          } catch (error) {
            this.say(`No connection: ${error.message}`);
            failures += 1;
          }
          const longest = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures);
          if (!this.ended) await pause(Math.random() * longest, undefined, { ref: false });
        }
      };
      keep().catch(reject);
    });
  }

  async #connect() {
    const { identity, tlsKeyPem } = this.state;
    const since = Date.now();
    const client = mqtt.connect({
      protocol: 'mqtts', host: identity.broker.host, port: identity.broker.port, minVersion: 'TLSv1.2',
      ca: [identity.ca_pem], cert: identity.certificate_pem, key: tlsKeyPem, rejectUnauthorized: true,
      protocolVersion: 5, clientId: `${identity.tenant}/${identity.register}`, clean: true, keepalive: 30,
      properties: { sessionExpiryInterval: 0 },
      // The spool is the session; the library shall neither reconnect nor repeat by itself. A new connection needs a
      // newly signed will anyhow.
      reconnectPeriod: 0, connectTimeout: 20000,
      will: { topic: this.#topic('up', 'status'), payload: this.#small('status', { online: false, since }), qos: 1,
        retain: true },
    });
    const closed = new Promise((resolve) => { client.once('close', resolve); });
    try {
      const connack = await new Promise((resolve, reject) => {
        client.once('connect', resolve);
        client.once('error', reject);
        client.once('close', () => reject(new Error('the broker closed the connection')));
      });
      client.on('error', (error) => this.say(`The connection: ${error.message}`));
      client.stream.setNoDelay(true); // else a publish over TLS takes 44 ms
      client.on('message', (onTopic, bytes) => this.#arrived(onTopic, bytes));
      this.packetMax = connack.properties?.maximumPacketSize ?? Infinity;
      const filters = ['receipt', 'blanks', 'erase'].map((kind) => this.#topic('down', kind));
      for (const { qos, topic: filter } of await client.subscribeAsync(filters, { qos: 1 })) {
        if (qos >= 0x80) throw new Error(`${filter} may not be subscribed to (0x${qos.toString(16)})`);
      }
      this.client = client;
      await this.#publishStatus(since, true);
      this.since = since;
      this.#report();
      const reports = setInterval(() => this.#report(), REPORT_EVERY_MS);
      closed.then(() => clearInterval(reports));
      for (const row of this.waiting.values()) this.#send(row);
    } catch (error) {
      client.end(true);
      throw error;
    }
    return { closed };
  }

  #publishStatus(since, online) {
    return this.client.publishAsync(this.#topic('up', 'status'), this.#small('status', { online, since }),
      { qos: 1, retain: true });
  }

  #report() {
    const rows = [...this.waiting.values()];
    const left = this.state.blanks.length;
    this.#publish('report', this.#small('report', {
      at: Date.now(), uptime_s: Math.floor((Date.now() - this.started) / 1000), blanks_left: left,
      blanks_wanted: Math.max(0, BLANKS_WANTED - left), spooled_messages: rows.length,
      spooled_bytes: rows.reduce((sum, row) => sum + row.bytes.length, 0),
      counters: Object.entries(this.counts).map(([name, value]) => ({ name, value })),
    }));
  }

  /** Resolves whatever happens: what PUBACK says is for the log, what counts is the receipt. */
  async #publish(kind, bytes) {
    const onTopic = this.#topic('up', kind);
    if (bytes.length + onTopic.length + 16 > this.packetMax) return this.say(`A ${kind} is too large for the broker.`);
    try {
      const puback = await this.client.publishAsync(onTopic, bytes, { qos: 1 });
      if (puback?.reasonCode === NOBODY_SUBSCRIBES) this.say(`Nobody takes a ${kind} at the moment.`);
    } catch (error) {
      this.say(`A ${kind} was not delivered: ${error.message}`);
    }
    return undefined;
  }

  /** Says goodbye. An orderly DISCONNECT makes the broker forget the will, so the status is told first. */
  async end() {
    this.ended = true;
    for (const row of this.waiting.values()) clearTimeout(row.timer);
    if (this.client?.connected) {
      await this.#publishStatus(this.since, false).catch(() => {});
      await this.client.endAsync().catch(() => {});
    }
  }

  // -------------------------------------------------------------------------------------------------------- sending

  /** Spools a message, sends it until it has its receipt, and resolves with that. */
  post(kind, header, payload, attachments = []) {
    const bytes = message(this.state.key, header, payload, attachments);
    const name = this.state.spool(header.get('seq'), bytes);
    const row = this.#await({ name, bytes, kind, id: header.get('id'), consent: payload.consent });
    this.#send(row);
    return row.answer;
  }

  /** When nothing waits for a receipt any more, not even what an earlier run left in the spool. */
  async settled() {
    await Promise.all([...this.waiting.values()].map((row) => row.answer));
  }

  #await(row) {
    row.sha256 = sha256(row.bytes);
    row.tries = 0;
    row.answer = new Promise((resolve) => { row.resolve = resolve; });
    this.waiting.set(row.id.toString('hex'), row);
    return row;
  }

  #send(row) {
    clearTimeout(row.timer);
    if (this.client?.connected) this.#publish(row.kind, row.bytes);
    this.#later(row, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** row.tries));
    row.tries += 1;
  }

  #later(row, wait) {
    clearTimeout(row.timer);
    row.timer = setTimeout(() => this.#send(row), wait);
  }

  #done(row, outcome) {
    clearTimeout(row.timer);
    this.waiting.delete(row.id.toString('hex'));
    this.state.unspool(row.name);
    this.#count(outcome.verdict);
    if (outcome.verdict === 'refused') this.say(`A ${row.kind} was refused: ${outcome.reason}`);
    row.resolve(outcome);
  }

  // ------------------------------------------------------------------------------------------------------ receiving

  #arrived(onTopic, bytes) {
    try {
      const { kind, content } = openDown(onTopic, bytes, this.state.identity, this.state.anchors);
      if (kind === 'receipt') this.#receipt(content);
      if (kind === 'blanks') this.#blanks(content.blanks);
      if (kind === 'erase') this.#erase(content.consents);
    } catch (error) {
      this.#count('ignored');
      this.say(`Ignored what came on ${onTopic}: ${error.message}`);
    }
  }

  #receipt(receipt) {
    const row = this.waiting.get(receipt.message.toString('hex'));
    // Receipts come twice, late, or for other bytes than those that were sent: only the right one counts.
    if (!row || !receipt.sha256.equals(row.sha256)) return this.#count('ignored');
    if (receipt.verdict === 'retry') return this.#later(row, receipt.retry_after_ms ?? FIRST_WAIT_MS);
    this.#done(row, receipt);
    if (receipt.verdict === 'gone' && row.consent) this.#erase([row.consent]);
    return undefined;
  }

  #blanks(blanks) {
    const good = blanks.filter((bytes) => {
      try {
        return openBlank(bytes, this.state.identity, this.state.anchors);
      } catch (error) {
        this.say(`Ignored a blank: ${error.message}`);
        return false;
      }
    });
    this.state.addBlanks(good);
    this.onBlanks?.();
  }

  #erase(consents) {
    for (const row of [...this.waiting.values()]) {
      if (row.kind === 'frame' && consents.some((one) => one.equals(row.consent))) this.#done(row, { verdict: 'gone' });
    }
  }

  /** A blank that nobody used before, waiting for the cloud if there is none. */
  async blank() {
    for (;;) {
      const bytes = this.state.takeBlank();
      if (!bytes) {
        this.say('No consent blank in stock: waiting for the cloud.');
        const come = new Promise((resolve) => { this.onBlanks = resolve; });
        this.#report();
        await come;
        continue;
      }
      const blank = openBlank(bytes, this.state.identity, this.state.anchors);
      if (Date.now() <= blank.usableUntil) return blank;
    }
  }
}
