/** Rules for IP addresses and ranges that several kinds share. */
import { isIP } from 'node:net';

/** An address that means something else on each machine, or many machines: no place to send a client to. */
export function isLocalAddress(address: string): boolean {
  return (
    address === '0.0.0.0' ||
    address === '::' ||
    address === '::1' ||
    address.startsWith('127.') ||
    address.startsWith('169.254.') ||
    address.startsWith('224.0.0.') ||
    LINK_LOCAL_V6.test(address)
  );
}

const LINK_LOCAL_V6 = /^(fe[89ab]|ff02)/i;

/** A range in CIDR notation: `10.9.8.0/24`, `2001:db8::/64`. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const family = isIP(text.slice(0, Math.max(slash, 0)));
  const bits = text.slice(slash + 1);
  return family !== 0 && BITS.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const BITS = /^\d{1,3}$/;
