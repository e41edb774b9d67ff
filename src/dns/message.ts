/**
 * DNS messages: reading queries, writing responses. Names that stood before are written as pointers, which keeps
 * answers for services with many endpoints within a datagram.
 *
 * Source: RFC 1035 sections 3 and 4, RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6891 (EDNS)
 */

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;
export const RCODE = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;
export const CLASS_IN = 1;
const CLASS_ANY = 255;
const HEADER_BYTES = 12;
const FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  desired: 0x0100,
  available: 0x0080,
} as const;
const OPCODE_MASK = 0x7800;
const MAX_LABEL = 63;
const MAX_NAME = 255;
/** What a datagram may hold where the client says nothing of it. */
const PLAIN_BYTES = 512;
/** What passes every network unbroken. */
const UDP_BYTES = 1232;
const DNSSEC_OK = 0x8000;
const BAD_VERSION = 16;

export interface Query {
  readonly id: number;
  /** in lower case, without the dot at the end; '' is the root */
  readonly name: string;
  readonly type: number;
  /** the question as it was asked */
  readonly question: Buffer;
  readonly recursionDesired: boolean;
  readonly isQuery: boolean;
  readonly isInternet: boolean;
  readonly edns: { readonly size: number; readonly version: number; readonly dnssec: boolean } | undefined;
}

export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: Buffer }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'SOA'; readonly server: string; readonly mailbox: string; readonly numbers: readonly number[] };

export interface ResourceRecord {
  readonly name: string;
  /** in seconds */
  readonly ttl: number;
  readonly data: RecordData;
}

export interface Response {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
}

/** Undefined for what is no query with one question. */
export function readQuery(message: Buffer): Query | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG.response) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  const name = readName(message, HEADER_BYTES);
  if (name === undefined || name.end + 4 > message.length) return undefined;
  const cls = message.readUInt16BE(name.end + 2);
  return {
    id: message.readUInt16BE(0),
    name: name.name,
    type: message.readUInt16BE(name.end),
    question: message.subarray(HEADER_BYTES, name.end + 4),
    recursionDesired: (flags & FLAG.desired) !== 0,
    isQuery: (flags & OPCODE_MASK) === 0,
    isInternet: cls === CLASS_IN || cls === CLASS_ANY,
    edns: readEdns(message, name.end + 4),
  };
}

function readEdns(message: Buffer, from: number): Query['edns'] {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  let at = from;
  for (let i = 0; i < count; i++) {
    const record = readRecord(message, at);
    if (record === undefined) return undefined;
    if (record.type === TYPE.OPT) {
      const flags = message.readUInt16BE(record.dataAt - 4);
      return { size: record.class, version: (record.ttl >>> 16) & 0xff, dnssec: (flags & DNSSEC_OK) !== 0 };
    }
    at = record.end;
  }
  return undefined;
}

export interface RawRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** where the time to live stands */
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly end: number;
}

/** The record that begins at `at`; undefined where there is none. */
export function readRecord(message: Buffer, at: number): RawRecord | undefined {
  const name = readName(message, at);
  if (name === undefined || name.end + 10 > message.length) return undefined;
  const dataAt = name.end + 10;
  const end = dataAt + message.readUInt16BE(name.end + 8);
  if (end > message.length) return undefined;
  return {
    name: name.name,
    type: message.readUInt16BE(name.end),
    class: message.readUInt16BE(name.end + 2),
    ttl: message.readUInt32BE(name.end + 4),
    ttlAt: name.end + 4,
    dataAt,
    end,
  };
}

/** The name that begins at `at`, in lower case, and where it ends. Pointers go backwards only, so it ends. */
export function readName(message: Buffer, at: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let end: number | undefined;
  let length = 1;
  let lowest = at;
  for (let i = at; ; ) {
    const size = message[i];
    if (size === undefined) return undefined;
    if (size >= 0xc0) {
      const low = message[i + 1];
      if (low === undefined) return undefined;
      end ??= i + 2;
      const target = ((size & 0x3f) << 8) | low;
      if (target >= lowest) return undefined;
      lowest = target;
      i = target;
      continue;
    }
    if (size > MAX_LABEL || i + 1 + size > message.length) return undefined;
    if (size === 0) return { name: labels.join('.'), end: end ?? i + 1 };
    length += size + 1;
    if (length > MAX_NAME) return undefined;
    // A dot within a label separates nothing.
    labels.push(
      message
        .toString('latin1', i + 1, i + 1 + size)
        .toLowerCase()
        .replaceAll('.', '\\.'),
    );
    i += 1 + size;
  }
}

/** How many bytes an answer over UDP may have. */
export function datagramLimit({ edns }: Query): number {
  return edns === undefined ? PLAIN_BYTES : Math.min(Math.max(edns.size, PLAIN_BYTES), UDP_BYTES);
}

/** Writes a response; where it would be larger than `limit` bytes, records are left out, and it says so. */
export function writeResponse(query: Query, response: Response, limit: number): Buffer {
  const writer = new Writer(query);
  const sections = [response.answers, response.authority, response.additional] as const;
  // The place for the EDNS record is kept free.
  const room = limit - (query.edns === undefined ? 0 : OPT_BYTES);
  const counts = [0, 0, 0];
  let truncated = false;
  for (const [i, section] of sections.entries()) {
    for (const record of section) {
      const before = writer.length;
      writer.record(record);
      if (writer.length > room) {
        writer.length = before;
        // What is only additional may be left out without a word.
        truncated ||= i < 2;
        break;
      }
      counts[i] = (counts[i] ?? 0) + 1;
    }
    if (truncated) break;
  }
  const badVersion = (query.edns?.version ?? 0) !== 0;
  if (query.edns !== undefined) writer.opt(query.edns.dnssec, badVersion);
  return writer.finish(response, counts, truncated);
}

/** A response without a question for what cannot be read; undefined where even that makes no sense. */
export function formatError(message: Buffer): Buffer | undefined {
  if (message.length < HEADER_BYTES || (message.readUInt16BE(2) & FLAG.response) !== 0) return undefined;
  const out = Buffer.alloc(HEADER_BYTES);
  message.copy(out, 0, 0, 2);
  out.writeUInt16BE(FLAG.response | (message.readUInt16BE(2) & OPCODE_MASK) | RCODE.formatError, 2);
  return out;
}

const OPT_BYTES = 11;
const INITIAL_BYTES = 1024;
/** Names further back cannot be pointed to. */
const MAX_POINTER = 0x4000;

class Writer {
  length: number;
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  readonly #query: Query;
  /** where names begin that may be pointed to */
  readonly #names = new Map<string, number>();

  constructor(query: Query) {
    this.#query = query;
    this.length = HEADER_BYTES;
    this.#reserve(query.question.length);
    query.question.copy(this.#buffer, HEADER_BYTES);
    this.length += query.question.length;
    this.#rememberAll(query.name, HEADER_BYTES);
  }

  record({ name, ttl, data }: ResourceRecord): void {
    this.#name(name, true);
    this.#number16(TYPE[data.type]);
    this.#number16(CLASS_IN);
    this.#number32(ttl);
    const lengthAt = this.length;
    this.#number16(0);
    this.#data(data);
    this.#buffer.writeUInt16BE(this.length - lengthAt - 2, lengthAt);
  }

  #data(data: RecordData): void {
    switch (data.type) {
      case 'A':
      case 'AAAA':
        this.#bytes(data.address);
        return;
      case 'CNAME':
      case 'PTR':
      case 'NS':
        this.#name(data.target, true);
        return;
      case 'SRV':
        this.#number16(data.priority);
        this.#number16(data.weight);
        this.#number16(data.port);
        this.#name(data.target, false);
        return;
      case 'TXT': {
        const text = Buffer.from(data.text).subarray(0, 255);
        this.#reserve(1);
        this.#buffer[this.length++] = text.length;
        this.#bytes(text);
        return;
      }
      case 'SOA':
        this.#name(data.server, true);
        this.#name(data.mailbox, true);
        for (const number of data.numbers) this.#number32(number);
    }
  }

  opt(dnssec: boolean, badVersion: boolean): void {
    this.#reserve(OPT_BYTES);
    this.#buffer[this.length++] = 0;
    this.#number16(TYPE.OPT);
    this.#number16(UDP_BYTES);
    this.#number32(((badVersion ? BAD_VERSION >> 4 : 0) << 24) | (dnssec ? DNSSEC_OK : 0));
    this.#number16(0);
  }

  finish(response: Response, counts: readonly number[], truncated: boolean): Buffer {
    const { id, recursionDesired, edns } = this.#query;
    let flags = FLAG.response | FLAG.available | (response.rcode & 0xf);
    if (response.authoritative) flags |= FLAG.authoritative;
    if (truncated) flags |= FLAG.truncated;
    if (recursionDesired) flags |= FLAG.desired;
    const [answers = 0, authority = 0, additional = 0] = counts;
    const words = [id, flags, 1, answers, authority, additional + (edns === undefined ? 0 : 1)];
    for (const [i, word] of words.entries()) this.#buffer.writeUInt16BE(word, 2 * i);
    return this.#buffer.subarray(0, this.length);
  }

  #name(name: string, compressed: boolean): void {
    let rest = name;
    while (rest !== '') {
      const known = this.#names.get(rest);
      if (compressed && known !== undefined) {
        this.#number16(0xc000 | known);
        return;
      }
      if (this.length < MAX_POINTER && !this.#names.has(rest)) this.#names.set(rest, this.length);
      const dot = rest.indexOf('.');
      const label = Buffer.from(dot < 0 ? rest : rest.slice(0, dot), 'latin1').subarray(0, MAX_LABEL);
      this.#reserve(1);
      this.#buffer[this.length++] = label.length;
      this.#bytes(label);
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#reserve(1);
    this.#buffer[this.length++] = 0;
  }

  /** Each ending of the name that is asked for is a name of its own. */
  #rememberAll(name: string, at: number): void {
    let rest = name;
    let place = at;
    while (rest !== '' && !rest.includes('\\')) {
      if (!this.#names.has(rest)) this.#names.set(rest, place);
      const dot = rest.indexOf('.');
      if (dot < 0) return;
      place += dot + 1;
      rest = rest.slice(dot + 1);
    }
  }

  #bytes(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.length);
    this.length += bytes.length;
  }

  #number16(value: number): void {
    this.#reserve(2);
    this.#buffer.writeUInt16BE(value, this.length);
    this.length += 2;
  }

  #number32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32BE(value >>> 0, this.length);
    this.length += 4;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.length + more));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
  }
}
