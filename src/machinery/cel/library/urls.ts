/** Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library */
import { CelError } from '../error.ts';
import { fn, method, type Overload } from '../overload.ts';
import { BOOL, listOf, mapOf, opaque, STRING } from '../types.ts';
import { JsonMap, OpaqueValue } from '../value.ts';

const URL_TYPE = opaque('kubernetes.URL');

class UrlValue extends OpaqueValue {
  override readonly type = 'kubernetes.URL';
  readonly text: string;
  readonly url: URL | undefined;
  /** without a scheme: only a path and a query */
  readonly relative: boolean;

  constructor(text: string) {
    super();
    this.text = text;
    this.relative = text.startsWith('/');
    this.url = new URL(text, this.relative ? 'http://relative.invalid' : undefined);
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
  override toJson(): string {
    return this.text;
  }
}

/** An absolute URL, or a path. Undefined for anything else. */
function parse(text: string): UrlValue | undefined {
  // JavaScript forgives blanks and control characters.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  if (/[\x00-\x20\x7f]/.test(text) || !/^(\/|[A-Za-z][A-Za-z0-9+.-]*:)/.test(text)) return undefined;
  if (/%(?![0-9a-fA-F]{2})/.test(text.split('?')[0] as string)) return undefined;
  try {
    return new UrlValue(text);
  } catch {
    return undefined;
  }
}

const part = (text: string, pattern: RegExp) => pattern.exec(text)?.[1] ?? '';
/** What the text says, which JavaScript's URL would change: no default port left out, no case changed. */
const hostOf = ({ text, relative }: UrlValue) =>
  relative ? '' : part(text, /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/);

export const urls: readonly Overload[] = [
  fn('isURL', [STRING], BOOL, (text: string) => parse(text) !== undefined),
  fn('url', [STRING], URL_TYPE, (text: string) => {
    const url = parse(text);
    if (url === undefined) throw new CelError(`URL parse error during conversion from string: ${JSON.stringify(text)}`);
    return url;
  }),
  method('getScheme', [URL_TYPE], STRING, (u: UrlValue) => (u.relative ? '' : part(u.text, /^([^:]*):/).toLowerCase())),
  method('getHost', [URL_TYPE], STRING, hostOf),
  method('getHostname', [URL_TYPE], STRING, (u: UrlValue) =>
    hostOf(u)
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1'),
  ),
  method('getPort', [URL_TYPE], STRING, (u: UrlValue) => part(hostOf(u), /:(\d+)$/)),
  method('getEscapedPath', [URL_TYPE], STRING, (u: UrlValue) => {
    const rest = u.relative ? u.text : u.text.replace(/^[^:]*:(\/\/[^/?#]*)?/, '');
    return part(rest, /^([^?#]*)/);
  }),
  method('getQuery', [URL_TYPE], mapOf(STRING, listOf(STRING)), (u: UrlValue) => {
    const query: Record<string, string[]> = {};
    for (const [key, value] of u.url?.searchParams ?? []) {
      if (!Object.hasOwn(query, key)) Object.defineProperty(query, key, { value: [], enumerable: true });
      query[key]?.push(value);
    }
    return new JsonMap(query, listOf(STRING));
  }),
];
