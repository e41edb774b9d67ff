/**
 * Certificate requests (PKCS #10, RFC 2986): the subject and names that are asked for, and whether the asker has the key.
 * Reads DER with bounds at every step; what is not read is not understood to be anything.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** how many names of each kind are asked for beside the subject */
  readonly alternativeNames: Readonly<Record<'dns' | 'ip' | 'email' | 'uri', number>>;
  /** whether the signature was made with the key that is in it */
  readonly signed: boolean;
}

export class CertificateRequestError extends Error {
  override readonly name = 'CertificateRequestError';
}

const PEM =
  /^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/m;
const MAX_BYTES = 256 * 1024;

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
/** the tags of text: UTF8String, PrintableString, TeletexString, IA5String */
const UTF8_TEXTS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x14, 0x16]);

const ATTRIBUTES = 0xa0;
const OCTET_STRING = 0x04;
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ALTERNATIVE_NAME = '2.5.29.17';
/** the tags of names in that extension */
const NAME_TAGS = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

/** The hash of each signature algorithm; null where the algorithm has its own. */
const HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/** @param request base64 of PEM, as `spec.request` carries it. @throws CertificateRequestError */
export function parseCertificateRequest(request: string): CertificateRequest {
  const text = Buffer.from(request, 'base64').toString('latin1');
  const body = text.length > MAX_BYTES ? undefined : PEM.exec(text)?.[1];
  if (body === undefined) {
    throw new CertificateRequestError('PEM block type must be CERTIFICATE REQUEST');
  }
  const whole = readElement(Buffer.from(body, 'base64'), 0, SEQUENCE);
  const info = readElement(whole.content, 0, SEQUENCE);
  const algorithm = readElement(whole.content, info.end, SEQUENCE);
  const signature = readElement(whole.content, algorithm.end, BIT_STRING);
  const version = readElement(info.content, 0, INTEGER);
  const subject = readElement(info.content, version.end, SEQUENCE);
  const key = readElement(info.content, subject.end, SEQUENCE);
  const oid = objectIdentifier(readElement(algorithm.content, 0, OBJECT_IDENTIFIER).content);
  const names = namesOf(subject.content);
  return {
    commonName: names.get(COMMON_NAME)?.at(-1) ?? '',
    organizations: names.get(ORGANIZATION) ?? [],
    alternativeNames: alternativeNamesOf(info.content, key.end),
    signed: isSigned(oid, info.raw, key.raw, signature.content.subarray(1)),
  };
}

function isSigned(oid: string, signedBytes: Buffer, spki: Buffer, signature: Buffer): boolean {
  const hash = HASHES[oid];
  if (hash === undefined) throw new CertificateRequestError(`x509: signature algorithm ${oid} is not supported`);
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new CertificateRequestError('x509: the public key of the request cannot be read');
  }
  try {
    return verify(hash, signedBytes, publicKey, signature);
  } catch {
    // A signature of another kind of key.
    return false;
  }
}

interface Element {
  readonly raw: Buffer;
  readonly content: Buffer;
  /** where the next one begins */
  readonly end: number;
}

const malformed = () => new CertificateRequestError('asn1: structure error: the request is malformed');

function readElement(bytes: Buffer, at: number, tag: number): Element {
  const { tag: found, ...element } = readAny(bytes, at);
  if (found !== tag) throw malformed();
  return element;
}

function readAny(bytes: Buffer, at: number): Element & { tag: number } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw malformed();
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || start + count > bytes.length) throw malformed();
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw malformed();
  return { tag, raw: bytes.subarray(at, end), content: bytes.subarray(start, end), end };
}

/** The values of a distinguished name, by the identifier of their type, in order. */
function namesOf(subject: Buffer): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (let at = 0; at < subject.length; ) {
    const set = readElement(subject, at, SET);
    at = set.end;
    for (let inner = 0; inner < set.content.length; ) {
      const pair = readElement(set.content, inner, SEQUENCE);
      inner = pair.end;
      const type = readElement(pair.content, 0, OBJECT_IDENTIFIER);
      const value = readAny(pair.content, type.end);
      const text = value.content.toString(UTF8_TEXTS.has(value.tag) ? 'utf8' : 'latin1');
      const oid = objectIdentifier(type.content);
      const known = names.get(oid);
      if (known === undefined) names.set(oid, [text]);
      else known.push(text);
    }
  }
  return names;
}

/** Counts the names in the extensions that are asked for. @param from where the attributes begin, if there are any */
function alternativeNamesOf(info: Buffer, from: number): CertificateRequest['alternativeNames'] {
  const counts = { dns: 0, ip: 0, email: 0, uri: 0 };
  if (from >= info.length || info[from] !== ATTRIBUTES) return counts;
  for (const attribute of partsOf(readElement(info, from, ATTRIBUTES).content)) {
    const type = readElement(attribute.content, 0, OBJECT_IDENTIFIER);
    if (objectIdentifier(type.content) !== EXTENSION_REQUEST) continue;
    const extensions = readElement(readElement(attribute.content, type.end, SET).content, 0, SEQUENCE);
    for (const extension of partsOf(extensions.content)) {
      const id = readElement(extension.content, 0, OBJECT_IDENTIFIER);
      if (objectIdentifier(id.content) !== ALTERNATIVE_NAME) continue;
      // Between the two may stand whether the extension is critical.
      const next = readAny(extension.content, id.end);
      const value = next.tag === OCTET_STRING ? next : readElement(extension.content, next.end, OCTET_STRING);
      for (const { tag } of partsOf(readElement(value.content, 0, SEQUENCE).content)) {
        for (const [kind, of] of Object.entries(NAME_TAGS)) if (tag === of) counts[kind as keyof typeof counts]++;
      }
    }
  }
  return counts;
}

function* partsOf(content: Buffer): Iterable<Element & { tag: number }> {
  for (let at = 0; at < content.length; ) {
    const part = readAny(content, at);
    yield part;
    at = part.end;
  }
}

function objectIdentifier(bytes: Buffer): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(value)) throw malformed();
    if (byte >= 0x80) continue;
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else arcs.push(value);
    value = 0;
  }
  return arcs.join('.');
}
