/**
 * Who asks, as another API server is told by a front proxy that it trusts.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#kubernetes-apiserver-proxies-the-request
 */
import type { User } from '../user.ts';

/** The names under which it is told, as they are published for those who must believe them. */
export const HEADER_NAMES = {
  username: 'X-Remote-User',
  uid: 'X-Remote-Uid',
  group: 'X-Remote-Group',
  extraPrefix: 'X-Remote-Extra-',
} as const;

const NOT_IN_A_NAME = /[^A-Za-z0-9!#$&'*+.^_`|~-]/gu;

/** Names are in lower case. Values go out as the bytes of UTF-8. */
export function identityHeaders(user: User): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { [HEADER_NAMES.username.toLowerCase()]: bytesOf(user.name) };
  if (user.uid !== undefined && user.uid !== '') headers[HEADER_NAMES.uid.toLowerCase()] = bytesOf(user.uid);
  if (user.groups.length > 0) headers[HEADER_NAMES.group.toLowerCase()] = user.groups.map(bytesOf);
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    const name = `${HEADER_NAMES.extraPrefix}${key.replaceAll(NOT_IN_A_NAME, escaped)}`.toLowerCase();
    headers[name] = values.map(bytesOf);
  }
  return headers;
}

/** What is no character of a header's name, as `%` and two digits for each byte. */
function escaped(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/** A header holds no line breaks: nobody who is known by one is let through as somebody else. */
const bytesOf = (text: string) => Buffer.from(text.replaceAll(/[\0\r\n]/g, ' '), 'utf8').toString('latin1');
