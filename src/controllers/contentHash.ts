/** Short names for contents, as replica sets and revisions carry them. */
import { safeEncode } from '../machinery/generateName.ts';

/** The same for the same content, whatever the order of its fields; another one after each collision. */
export function contentHash(content: unknown, collisions: number | undefined): string {
  const text = canonical(content) + (collisions === undefined ? '' : `#${collisions}`);
  return safeEncode(String(fnv1a(Buffer.from(text))));
}

/** JSON with the fields in alphabetical order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, v]) => v !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, v]) => `${JSON.stringify(name)}:${canonical(v)}`).join(',')}}`;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a with 32 bits. Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(bytes: Buffer): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}
