/**
 * Links of pages that are seen through a proxy: those that are absolute within the page's own host are led
 * through the proxy, too. Pages are read as a stream, byte for byte, whatever their alphabet is.
 */
import { Transform } from 'node:stream';

/** From what a page says to what the client is to see. */
export type Rewrite = (url: string) => string;

export interface Behind {
  /** the path under which the client sees the host */
  readonly prefix: string;
  /** names of the host, with ports */
  readonly hosts: readonly string[];
}

/** Leaves what leads elsewhere, what is relative, and what leads through the proxy already. */
export function rewriterFor({ prefix, hosts }: Behind): Rewrite {
  return (url) => {
    const [, host, rest = ''] = /^(?:(?:https?:)?\/\/([^/?#]*))?(.*)$/is.exec(url) ?? [];
    const elsewhere = host !== undefined && host !== '' && !hosts.includes(host);
    if (elsewhere || !rest.startsWith('/')) return url;
    const isThere = rest.startsWith(prefix) && '/?#'.includes(rest.charAt(prefix.length));
    return isThere ? rest : prefix + rest;
  };
}

/** The attributes that hold a link, by tag. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['formaction', 'src', 'usemap'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Within these is text, whatever it looks like. */
const TEXT_ONLY: ReadonlySet<string> = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed']);
/** A tag or comment that is longer is taken for text, so that what is kept back stays small. */
const MAX_TAG = 64 * 1024;

const START_TAG = /^<([a-z][^\s/>]*)/i;

/** Rewrites the links of an HTML page that is piped through it. */
export class PageLinks extends Transform {
  readonly #rewrite: Rewrite;
  /** begins at a tag or comment that has not ended, or is empty */
  #kept = '';
  /** how far that was read */
  #scan: Scan = START;
  /** the element of text that the page is in; '' for none */
  #within = '';

  constructor(rewrite: Rewrite) {
    super();
    this.#rewrite = rewrite;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // In this encoding each byte is one character, and stays what it is.
    this.#kept += chunk.toString('latin1');
    const out = this.#advance();
    if (out !== '') this.push(Buffer.from(out, 'latin1'));
    done();
  }

  override _flush(done: () => void): void {
    if (this.#kept !== '') this.push(Buffer.from(this.#kept, 'latin1'));
    done();
  }

  /** What is done with; the rest is kept. */
  #advance(): string {
    const text = this.#kept;
    let out = '';
    let at = 0;
    for (;;) {
      const open = this.#nextTag(text, at);
      if (open < 0) {
        at = this.#passText(text, at, (part) => {
          out += part;
        });
        break;
      }
      out += text.slice(at, open);
      at = open;
      const found = endOf(text, open, this.#scan);
      this.#scan = START;
      if (typeof found === 'number') {
        out += this.#tag(text.slice(open, found));
        at = found;
      } else if (text.length - open <= MAX_TAG) {
        this.#scan = found;
        break;
      } else {
        // It is no tag, or one that nobody wants to read: all that there is of it goes on.
        out += text.slice(open);
        at = text.length;
        break;
      }
    }
    this.#kept = text.slice(at);
    return out;
  }

  /** Where something begins that is to be looked at; -1 where nothing does. */
  #nextTag(text: string, from: number): number {
    if (this.#within === '') return text.indexOf('<', from);
    const close = new RegExp(`</${this.#within}(?=[\\s/>])`, 'gi');
    close.lastIndex = from;
    return close.exec(text)?.index ?? -1;
  }

  /** Text without a tag goes on, but for the beginning of an end tag that may become whole. Where it stops. */
  #passText(text: string, from: number, pass: (part: string) => void): number {
    const last = this.#within === '' ? -1 : text.lastIndexOf('<');
    const until = last >= from && text.length - last <= this.#within.length + 2 ? last : text.length;
    pass(text.slice(from, until));
    return until;
  }

  #tag(tag: string): string {
    if (this.#within !== '') {
      this.#within = '';
      return tag;
    }
    const name = START_TAG.exec(tag)?.[1]?.toLowerCase();
    if (name === undefined) return tag;
    if (TEXT_ONLY.has(name) && !tag.endsWith('/>')) this.#within = name;
    const links = Object.hasOwn(LINKS, name) ? LINKS[name] : undefined;
    return links === undefined ? tag : withLinks(tag, name.length + 1, links, this.#rewrite);
  }
}

/** How far a tag was read, from its beginning. */
interface Scan {
  readonly read: number;
  /** the one that the value began with which is being read; '' for none */
  readonly quote: string;
  /** behind an equals sign, where a quote opens a value */
  readonly value: boolean;
}

const START: Scan = { read: 1, quote: '', value: false };

/** Where the tag or comment ends that begins at `open`, or how far it was read without an end. */
function endOf(text: string, open: number, scan: Scan): number | Scan {
  if (text.startsWith('<!--', open)) {
    const end = text.indexOf('-->', open + Math.max(4, scan.read - 2));
    return end < 0 ? { ...START, read: text.length - open } : end + 3;
  }
  // Not enough to tell.
  if ('<!--'.startsWith(text.slice(open, open + 4))) return START;
  if (!/[a-z/!?]/i.test(text.charAt(open + 1))) return open + 1;
  let { quote, value } = scan;
  for (let i = open + scan.read; i < text.length; i++) {
    const c = text.charAt(i);
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '>') return i + 1;
    else if ((c === '"' || c === "'") && value) quote = c;
    value = c === '=' || (value && /\s/.test(c));
  }
  return { read: text.length - open, quote, value };
}

const ATTRIBUTE = /([^\s"'>/=]+)(?:(\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+))?/y;

function withLinks(tag: string, from: number, links: readonly string[], rewrite: Rewrite): string {
  let out = tag.slice(0, from);
  let at = from;
  while (at < tag.length) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(tag);
    if (found === null) {
      out += tag.charAt(at++);
      continue;
    }
    const [whole, name = '', equals, value = ''] = found;
    at += whole.length;
    out += equals !== undefined && links.includes(name.toLowerCase()) ? name + equals + linked(value, rewrite) : whole;
  }
  return out;
}

function linked(value: string, rewrite: Rewrite): string {
  const quote = value.startsWith('"') || value.startsWith("'") ? value.charAt(0) : '';
  return quote === '' ? rewrite(value) : quote + rewrite(value.slice(1, -1)) + quote;
}
