/** IPv4 addresses of a range, as numbers. */

export interface IpRange {
  /** the first usable address */
  readonly first: number;
  /** the last usable address */
  readonly last: number;
  readonly cidr: string;
}

/** @throws RangeError for what is no IPv4 range of at least four addresses */
export function parseIpRange(cidr: string): IpRange {
  const [address = '', bits = ''] = cidr.split('/');
  const base = parseIp(address);
  const length = Number(bits);
  if (base === undefined || !/^\d{1,2}$/.test(bits) || length < 8 || length > 30) {
    throw new RangeError(`${JSON.stringify(cidr)} is no IPv4 range between /8 and /30`);
  }
  const size = 2 ** (32 - length);
  const network = Math.floor(base / size) * size;
  // The network's own address and the broadcast address are nobody's.
  return { first: network + 1, last: network + size - 2, cidr };
}

/** The addresses of an IPv4 range of any size that services may have; undefined for what is no such range. */
export function addressesOf(cidr: string): IpRange | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const base = parseIp(address);
  const length = Number(bits);
  if (base === undefined || !/^\d{1,2}$/.test(bits) || length > 32) return undefined;
  const size = 2 ** (32 - length);
  const network = Math.floor(base / size) * size;
  // Ranges of one or two addresses have no ends to spare.
  const ends = size > 2 ? 1 : 0;
  return { first: network + ends, last: network + size - 1 - ends, cidr };
}

/** Undefined for what is no IPv4 address. */
export function parseIp(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
