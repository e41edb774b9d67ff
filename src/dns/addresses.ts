/** IP addresses as DNS has them: as bytes, as a part of a name, and as a name that is asked in reverse. */
import { isIP } from 'node:net';

/** 4 or 16 bytes; undefined for what is no address. */
export function addressBytes(ip: string): Buffer | undefined {
  const family = isIP(ip);
  if (family === 4) return Buffer.from(ip.split('.').map(Number));
  if (family !== 6) return undefined;
  const [plain = ''] = ip.split('%', 1);
  const [head = '', tail] = plain.split('::', 2);
  const front = wordsOf(head);
  const back = wordsOf(tail ?? '');
  const words = tail === undefined ? front : [...front, ...new Array(8 - front.length - back.length).fill(0), ...back];
  const bytes = Buffer.alloc(16);
  for (const [i, word] of words.entries()) bytes.writeUInt16BE(word, 2 * i);
  return bytes;
}

/** An address in the middle of a name: its parts with dashes, `10-244-0-7`. */
export function dashed(ip: string): string {
  return ip.replace(/[.:]/g, '-');
}

/** The address that a name part stands for. */
export function undashed(label: string): Buffer | undefined {
  return /^\d+-\d+-\d+-\d+$/.test(label)
    ? addressBytes(label.replaceAll('-', '.'))
    : addressBytes(label.replaceAll('-', ':'));
}

/** `7.0.244.10.in-addr.arpa`, or of 32 digits below `ip6.arpa`. */
export function reverseName(address: Buffer): string {
  if (address.length === 4) return `${[...address].reverse().join('.')}.in-addr.arpa`;
  return `${[...address.toString('hex')].reverse().join('.')}.ip6.arpa`;
}

function wordsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
