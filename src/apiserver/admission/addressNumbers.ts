/**
 * Addresses of both families as numbers, so that they can be reserved: those of IPv4 as they are, those of IPv6 above
 * them, by the range of 2^48 that they lie in. Services have addresses out of one or a few ranges; what lies in more of
 * them than there are numbers for is nobody's to reserve.
 */
import { formatCidr, parseCidr } from '../../apis/networking/cidr.ts';
import { addressesOf, formatIp, type IpRange, parseIp } from './ipRange.ts';

const LOW_BITS = 48n;
const LOW = 2 ** Number(LOW_BITS);
/** Numbers from here on are those of IPv6. */
export const FIRST_V6 = LOW;
/** So many of them are safe integers. */
const MOST_PREFIXES = 30;
const WIDTH = 128;

export class AddressNumbers {
  /** the upper bits of IPv6 addresses that were seen */
  readonly #prefixes: bigint[] = [];

  /** Undefined for what is no address, or has no number. */
  of(text: string): number | undefined {
    return parseIp(text) ?? this.#ofV6(parseCidr(`${text}/${WIDTH}`)?.base);
  }

  /** The address in its canonical form. */
  text(value: number): string {
    const prefix = this.#prefixes[Math.floor(value / LOW) - 1];
    if (prefix === undefined) return formatIp(value);
    const base = (prefix << LOW_BITS) + BigInt(value % LOW);
    return formatCidr({ family: 6, base, length: WIDTH, loose: false }).replace(/\/128$/, '');
  }

  /** The addresses of a range that services may have; undefined for what is no range, or has no numbers. */
  range(cidr: string): IpRange | undefined {
    const parsed = parseCidr(cidr);
    if (parsed?.family !== 6) return addressesOf(cidr);
    const first = this.#ofV6(parsed.base);
    if (first === undefined) return undefined;
    const size = 2 ** Math.min(WIDTH - parsed.length, Number(LOW_BITS));
    // The first address of a range is that of its routers.
    return { first: first + (size > 2 ? 1 : 0), last: first + size - 1, cidr };
  }

  #ofV6(value: bigint | undefined): number | undefined {
    if (value === undefined) return undefined;
    const prefix = value >> LOW_BITS;
    let index = this.#prefixes.indexOf(prefix);
    if (index < 0) {
      if (this.#prefixes.length >= MOST_PREFIXES) return undefined;
      index = this.#prefixes.push(prefix) - 1;
    }
    return (index + 1) * LOW + Number(value % BigInt(LOW));
  }
}
