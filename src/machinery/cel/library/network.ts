/** Addresses and networks. Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library */
import { isIP } from 'node:net';
import { CelError } from '../error.ts';
import { fn, method, type Overload } from '../overload.ts';
import { BOOL, INT, opaque, STRING } from '../types.ts';
import { OpaqueValue } from '../value.ts';

const IP = opaque('net.IP');
const CIDR = opaque('net.CIDR');

class IpValue extends OpaqueValue {
  override readonly type = 'net.IP';
  readonly family: 4 | 6;
  readonly bits: bigint;
  constructor(family: 4 | 6, bits: bigint) {
    super();
    this.family = family;
    this.bits = bits;
  }
  get width(): number {
    return this.family === 4 ? 32 : 128;
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && other.family === this.family && other.bits === this.bits;
  }
  override toJson(): string {
    return showIp(this);
  }
}

class CidrValue extends OpaqueValue {
  override readonly type = 'net.CIDR';
  readonly ip: IpValue;
  readonly prefix: number;
  constructor(ip: IpValue, prefix: number) {
    super();
    this.ip = ip;
    this.prefix = prefix;
  }
  get masked(): CidrValue {
    const host = BigInt(this.ip.width - this.prefix);
    return new CidrValue(new IpValue(this.ip.family, (this.ip.bits >> host) << host), this.prefix);
  }
  contains(ip: IpValue): boolean {
    const host = BigInt(this.ip.width - this.prefix);
    return ip.family === this.ip.family && ip.bits >> host === this.ip.bits >> host;
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && other.prefix === this.prefix && other.ip.equals(this.ip);
  }
  override toJson(): string {
    return `${showIp(this.ip)}/${this.prefix}`;
  }
}

/** No zones, and no IPv4 within IPv6: those mean different things to different programs. */
function parseIp(text: string): IpValue | undefined {
  const family = text.length > 45 || text.includes('%') ? 0 : isIP(text);
  if (family === 4) {
    return new IpValue(
      4,
      text.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n),
    );
  }
  if (family !== 6 || text.includes('.')) return undefined;
  const [before = '', after] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const front = groups(before);
  const back = after === undefined ? [] : groups(after);
  const all = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return new IpValue(
    6,
    all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n),
  );
}

/** The canonical form: RFC 5952 for IPv6. */
function showIp({ family, bits }: IpValue): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (groups[i + length] === '0') length++;
    if (length > best.length) best = { at: i, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

function parseCidr(text: string): CidrValue | undefined {
  const match = /^([^/]{1,45})\/(0|[1-9]\d{0,2})$/.exec(text);
  const ip = match === null ? undefined : parseIp(match[1] as string);
  const prefix = Number(match?.[2]);
  return ip === undefined || prefix > ip.width ? undefined : new CidrValue(ip, prefix);
}

function needIp(text: string): IpValue {
  const ip = parseIp(text);
  if (ip === undefined)
    throw new CelError(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return ip;
}

function needCidr(text: string): CidrValue {
  const cidr = parseCidr(text);
  if (cidr === undefined)
    throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(text)}`);
  return cidr;
}

const top = (ip: IpValue, bits: number) => Number(ip.bits >> BigInt(ip.width - bits));
const isLoopback = (ip: IpValue) => (ip.family === 4 ? top(ip, 8) === 127 : ip.bits === 1n);
const isLinkLocalMulticast = (ip: IpValue) =>
  ip.family === 4 ? top(ip, 24) === 0xe00000 : (top(ip, 16) & 0xff0f) === 0xff02;
const isLinkLocalUnicast = (ip: IpValue) => (ip.family === 4 ? top(ip, 16) === 0xa9fe : top(ip, 10) === 0x3fa);
const isMulticast = (ip: IpValue) => (ip.family === 4 ? top(ip, 4) === 14 : top(ip, 8) === 0xff);
const isBroadcast = (ip: IpValue) => ip.family === 4 && ip.bits === 0xffffffffn;

export const network: readonly Overload[] = [
  fn('isIP', [STRING], BOOL, (text: string) => parseIp(text) !== undefined),
  fn('ip', [STRING], IP, needIp),
  fn('ip.isCanonical', [STRING], BOOL, (text: string) => showIp(needIp(text)) === text),
  method('family', [IP], INT, (ip: IpValue) => BigInt(ip.family)),
  method('isUnspecified', [IP], BOOL, (ip: IpValue) => ip.bits === 0n),
  method('isLoopback', [IP], BOOL, isLoopback),
  method('isLinkLocalMulticast', [IP], BOOL, isLinkLocalMulticast),
  method('isLinkLocalUnicast', [IP], BOOL, isLinkLocalUnicast),
  method('isGlobalUnicast', [IP], BOOL, (ip: IpValue) => {
    return ip.bits !== 0n && !isBroadcast(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
  }),
  fn('string', [IP], STRING, showIp),
  fn('isCIDR', [STRING], BOOL, (text: string) => parseCidr(text) !== undefined),
  fn('cidr', [STRING], CIDR, needCidr),
  method('containsIP', [CIDR, IP], BOOL, (cidr: CidrValue, ip: IpValue) => cidr.contains(ip)),
  method('containsIP', [CIDR, STRING], BOOL, (cidr: CidrValue, text: string) => cidr.contains(needIp(text))),
  method('containsCIDR', [CIDR, CIDR], BOOL, containsCidr),
  method('containsCIDR', [CIDR, STRING], BOOL, (cidr: CidrValue, text: string) => containsCidr(cidr, needCidr(text))),
  method('ip', [CIDR], IP, (cidr: CidrValue) => cidr.ip),
  method('masked', [CIDR], CIDR, (cidr: CidrValue) => cidr.masked),
  method('prefixLength', [CIDR], INT, (cidr: CidrValue) => BigInt(cidr.prefix)),
  fn('string', [CIDR], STRING, (cidr: CidrValue) => cidr.toJson()),
];

function containsCidr(cidr: CidrValue, other: CidrValue): boolean {
  return other.prefix >= cidr.prefix && cidr.contains(other.ip);
}
