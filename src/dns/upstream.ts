/** Asks the machine's own name servers for what is not the cluster's, and keeps their answers for a while. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { CLASS_IN, type Query, RCODE, type ResourceRecord, readName, readQuery, readRecord, TYPE } from './message.ts';

export interface UpstreamOptions {
  /** asked one after the other until one answers; `10.0.0.1` or `10.0.0.1#5353` */
  readonly servers: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

const PORT = 53;
const TIMEOUT_MS = 2_000;
/** Answers are kept no longer than this, in seconds, whatever they say. */
const MAX_TTL = 30;
const NEGATIVE_TTL = 5;
const MAX_ENTRIES = 10_000;
/** Of questions that wait for an answer; above it they are refused. */
const MAX_UNDER_WAY = 1_000;
const HEADER_BYTES = 12;
const TRUNCATED = 0x02;

interface Kept {
  readonly message: Buffer;
  readonly at: number;
  readonly until: number;
}

export class Upstream {
  readonly #o: UpstreamOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<Buffer | undefined>>();

  constructor(options: UpstreamOptions) {
    this.#o = options;
  }

  /** A response to the question, with its id and its spelling; undefined where no server gives one. */
  async ask(query: Query): Promise<Buffer | undefined> {
    const key = `${query.type} ${query.edns?.dnssec === true} ${query.name}`;
    const kept = this.#find(key);
    if (kept !== undefined)
      return this.#addressed(kept.message, query, Math.floor((this.#o.clock.now() - kept.at) / 1000));
    let work = this.#underWay.get(key);
    if (work === undefined) {
      if (this.#underWay.size >= MAX_UNDER_WAY) return undefined;
      work = this.#askServers(query).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, work);
    }
    const message = await work;
    if (message === undefined) return undefined;
    this.#keep(key, message);
    return this.#addressed(message, query, 0);
  }

  /** The addresses and aliases that a name has elsewhere. */
  async resolve(name: string, type: number): Promise<ResourceRecord[] | undefined> {
    const message = queryFor(name, type);
    const query = readQuery(message);
    const response = query === undefined ? undefined : await this.ask(query);
    if (response === undefined) return undefined;
    const rcode = (response[3] ?? 0) & 0xf;
    return rcode === RCODE.noError || rcode === RCODE.nameError ? recordsOf(response) : undefined;
  }

  #find(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.until > this.#o.clock.now()) return kept;
    this.#kept.delete(key);
    return undefined;
  }

  #keep(key: string, message: Buffer): void {
    const rcode = (message[3] ?? 0) & 0xf;
    if (rcode !== RCODE.noError && rcode !== RCODE.nameError) return;
    let ttl = MAX_TTL;
    forEachRecord(message, (record) => {
      if (record.type !== TYPE.OPT) ttl = Math.min(ttl, record.ttl);
    });
    if (message.readUInt16BE(6) === 0) ttl = Math.min(ttl, NEGATIVE_TTL);
    if (ttl === 0) return;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_ENTRIES && oldest !== undefined) this.#kept.delete(oldest);
    const now = this.#o.clock.now();
    this.#kept.set(key, { message, at: now, until: now + ttl * 1000 });
  }

  #addressed(message: Buffer, query: Query, age: number): Buffer {
    const out = Buffer.from(query.edns === undefined ? withoutEdns(message) : message);
    out.writeUInt16BE(query.id, 0);
    query.question.copy(out, HEADER_BYTES);
    if (age > 0) {
      forEachRecord(out, (record) => {
        if (record.type !== TYPE.OPT) out.writeUInt32BE(Math.max(0, record.ttl - age), record.ttlAt);
      });
    }
    return out;
  }

  async #askServers(query: Query): Promise<Buffer | undefined> {
    for (const server of this.#o.servers) {
      const [address = '', port = String(PORT)] = server.split('#');
      const to = { address, port: Number(port) };
      const request = requestFor(query, this.#o.random.integer(0x10000));
      let answer = await this.#overDatagram(to, request);
      if (answer !== undefined && ((answer[2] ?? 0) & TRUNCATED) !== 0) answer = await this.#overStream(to, request);
      if (answer !== undefined && ((answer[3] ?? 0) & 0xf) !== RCODE.serverFailure) return answer;
    }
    return undefined;
  }

  #overDatagram(to: { address: string; port: number }, request: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      // A port of its own for each question makes answers hard to forge.
      const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4');
      const end = (answer: Buffer | undefined) => {
        timer.cancel();
        socket.close();
        resolve(answer);
        end.done = true;
      };
      end.done = false;
      const timer = this.#o.clock.after(TIMEOUT_MS, () => end(undefined));
      socket.on('message', (message, from) => {
        if (!end.done && from.address === to.address && isAnswerTo(request, message)) end(message);
      });
      socket.on('error', () => {
        if (!end.done) end(undefined);
      });
      socket.send(request, to.port, to.address);
    });
  }

  #overStream(to: { address: string; port: number }, request: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = connect(to.port, to.address);
      let received = Buffer.alloc(0);
      const end = (answer: Buffer | undefined) => {
        timer.cancel();
        socket.destroy();
        resolve(answer);
      };
      const timer = this.#o.clock.after(TIMEOUT_MS, () => end(undefined));
      socket.on('connect', () => socket.write(framed(request)));
      socket.on('error', () => end(undefined));
      socket.on('close', () => end(undefined));
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const message = received.subarray(2, 2 + received.readUInt16BE(0));
        end(isAnswerTo(request, message) ? message : undefined);
      });
    });
  }
}

/** A message as it goes over TCP: behind its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

const UDP_BYTES = 1232;

/** Question with recursion and room for large answers. */
function requestFor({ question, edns }: Query, id: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  for (const [i, word] of [id, 0x0100, 1, 0, 0, 1].entries()) header.writeUInt16BE(word, 2 * i);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(TYPE.OPT, 1);
  opt.writeUInt16BE(UDP_BYTES, 3);
  if (edns?.dnssec === true) opt.writeUInt16BE(0x8000, 7);
  return Buffer.concat([header, question, opt]);
}

function queryFor(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => {
    const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const end = Buffer.from([0, type >> 8, type & 0xff, 0, CLASS_IN]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...labels, end]);
}

function isAnswerTo(request: Buffer, message: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== request.readUInt16BE(0)) return false;
  if (((message[2] ?? 0) & 0x80) === 0 || message.readUInt16BE(4) !== 1) return false;
  const asked = readName(request, HEADER_BYTES);
  const answered = readName(message, HEADER_BYTES);
  return asked !== undefined && asked.name === answered?.name && asked.end === answered.end;
}

function forEachRecord(message: Buffer, look: (record: NonNullable<ReturnType<typeof readRecord>>) => void): void {
  const question = readName(message, HEADER_BYTES);
  if (question === undefined) return;
  let at = question.end + 4;
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let i = 0; i < count; i++) {
    const record = readRecord(message, at);
    if (record === undefined) return;
    look(record);
    at = record.end;
  }
}

/** Who did not say that he knows EDNS is not answered in it. It stands last. */
function withoutEdns(message: Buffer): Buffer {
  let optAt: number | undefined;
  let last = HEADER_BYTES;
  forEachRecord(message, ({ type, ttlAt, end }) => {
    // Its name is the root: one byte before type and class.
    optAt = type === TYPE.OPT ? ttlAt - 5 : undefined;
    last = end;
  });
  if (optAt === undefined || last !== message.length) return message;
  const out = Buffer.from(message.subarray(0, optAt));
  out.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
  return out;
}

/** Addresses and aliases among the answers. */
function recordsOf(message: Buffer): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  let left = message.readUInt16BE(6);
  forEachRecord(message, ({ name, type, ttl, dataAt, end }) => {
    if (left-- <= 0) return;
    if (type === TYPE.A && end - dataAt === 4)
      records.push({ name, ttl, data: { type: 'A', address: message.subarray(dataAt, end) } });
    if (type === TYPE.AAAA && end - dataAt === 16)
      records.push({ name, ttl, data: { type: 'AAAA', address: message.subarray(dataAt, end) } });
    if (type === TYPE.CNAME) {
      const target = readName(message, dataAt);
      if (target !== undefined) records.push({ name, ttl, data: { type: 'CNAME', target: target.name } });
    }
  });
  return records;
}
