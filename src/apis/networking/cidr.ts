/** Ranges of addresses, of both families, in their canonical forms. */
import { isIPv4, isIPv6 } from 'node:net';

export interface Cidr {
  readonly family: 4 | 6;
  /** the first address of the range */
  readonly base: bigint;
  readonly length: number;
  /** whether bits after the prefix are set */
  readonly loose: boolean;
}

const BITS = /^(0|[1-9]\d{0,2})$/;

/** Undefined for what is no range. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, Math.max(slash, 0)));
  const bits = text.slice(slash + 1);
  if (address === undefined || !BITS.test(bits)) return undefined;
  const width = widthOf(address.family);
  const length = Number(bits);
  if (length > width) return undefined;
  const base = (address.value >> BigInt(width - length)) << BigInt(width - length);
  return { family: address.family, base, length, loose: base !== address.value };
}

/** Whether `inner` lies in `outer`, wholly. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || inner.length < outer.length) return false;
  const shift = BigInt(widthOf(outer.family) - outer.length);
  return inner.base >> shift === outer.base >> shift;
}

/** As Kubernetes writes it: no host bits, IPv6 as RFC 5952 has it. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress({ family: cidr.family, value: cidr.base })}/${cidr.length}`;
}

/** The one way to write an address; undefined for what is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** What stands before an IPv4 address within an IPv6 one: `::ffff:`. */
const MAPPED = 0xffffn;

const widthOf = (family: 4 | 6) => (family === 4 ? 32 : 128);

function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: parts4(text) };
  // An address with a zone is one on a certain machine only.
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const dotted = text.lastIndexOf(':') + 1;
  const tail = text.slice(dotted);
  let plain = text;
  if (tail.includes('.')) {
    const value = parts4(tail);
    plain = `${text.slice(0, dotted)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const [head = '', rest] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = rest === undefined || rest === '' ? [] : rest.split(':');
  const groups =
    rest === undefined ? front : [...front, ...new Array(8 - front.length - back.length).fill('0'), ...back];
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  // An IPv4 address in the dress of the other family: programs do not agree on what it is.
  return value >> 32n === MAPPED ? undefined : { family: 6, value };
}

function parts4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(((value >> shift) & 0xffffn).toString(16));
  return shorten(groups);
}

/** The longest run of zeros, of two or more groups, becomes `::`. */
function shorten(groups: readonly string[]): string {
  let best = { at: 0, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}
