/** The formats that a string may be declared to have; others are not checked. Source: the list of supported formats of apiextensions. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { parseGoDuration } from '../../machinery/cel/duration.ts';
import { parseTimestamp } from '../../machinery/cel/timestamp.ts';
import { compileRegularExpression } from '../../machinery/regularExpression.ts';

const uuid = (version: string) =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');
const [UUID, UUID3, UUID4, UUID5] = [uuid('[0-9a-f]'), uuid('3'), uuid('4'), uuid('5')];

function cidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function uri(text: string): boolean {
  try {
    return text.startsWith('/') || new URL(text).href !== '';
  } catch {
    return false;
  }
}

function isRegex(text: string): boolean {
  try {
    compileRegularExpression(text);
    return true;
  } catch {
    return false;
  }
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (t) => /^[0-9a-f]{24}$/i.test(t),
  uri,
  email: (t) => t.length <= 320 && /^[^\s@<>()]{1,64}@[^\s@]{1,255}$/.test(t),
  hostname: (t) =>
    t.length <= 253 && t.split('.').every((l) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(l)),
  ipv4: isIPv4,
  ipv6: (t) => isIPv6(t),
  cidr,
  mac: (t) => /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i.test(t),
  uuid: (t) => UUID.test(t),
  uuid3: (t) => UUID3.test(t),
  uuid4: (t) => UUID4.test(t),
  uuid5: (t) => UUID5.test(t),
  byte: (t) => t.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(t),
  date: (t) => /^\d{4}-\d{2}-\d{2}$/.test(t) && parseTimestamp(t) !== undefined,
  'date-time': (t) => t.length > 10 && parseTimestamp(t) !== undefined,
  datetime: (t) => t.length > 10 && parseTimestamp(t) !== undefined,
  duration: (t) => parseGoDuration(t) !== undefined,
  isbn: (t) => /^(?:\d[ -]?){9}[\dXx]$|^(?:\d[ -]?){12}\d$/.test(t),
  isbn10: (t) => /^(?:\d[ -]?){9}[\dXx]$/.test(t),
  isbn13: (t) => /^(?:\d[ -]?){12}\d$/.test(t),
  creditcard: (t) => /^\d(?:[ -]?\d){12,18}$/.test(t),
  ssn: (t) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(t),
  hexcolor: (t) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(t),
  rgbcolor: (t) => /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/.test(t),
  regex: isRegex,
  'k8s-short-name': (t) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(t),
  'k8s-long-name': (t) => t.length <= 253 && t.split('.').every((l) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(l)),
};

/** Whether the text has the format, or the format is none that is checked. */
export function hasFormat(format: string, text: string): boolean {
  return !Object.hasOwn(FORMATS, format) || (FORMATS[format]?.(text) ?? true);
}
