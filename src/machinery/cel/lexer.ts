/** CEL's tokens. Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax */
import { CelSyntaxError } from './error.ts';

export type TokenKind = 'ident' | 'quoted' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'op' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** the value of a literal */
  readonly value?: bigint | number | string | Uint8Array;
  readonly position: number;
}

const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y;
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|\d+[uU]?/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const STRING = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y;
const OPERATORS = ['&&', '||', '<=', '>=', '==', '!=', ...'.,?:[](){}<>+-*/%!'];

/** @throws CelSyntaxError */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  for (let at = 0; at < source.length; ) {
    const space = match(SPACE, at);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const token = literal(source, at, match) ?? word(source, at, match);
    if (token === undefined) throw new CelSyntaxError(at, `token recognition error at: '${source[at]}'`);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '<EOF>', position: source.length });
  return tokens;
}

type Match = (pattern: RegExp, at: number) => RegExpExecArray | null;
type Found = { token: Token; end: number } | undefined;

function literal(source: string, at: number, match: Match): Found {
  const quote = match(STRING, at);
  if (quote !== null) return text(source, at, quote[0], quote[1] as string);
  const number = match(NUMBER, at);
  if (number === null) return undefined;
  const [digits] = number;
  const end = at + digits.length;
  // `1.foo` is no double; the pattern wants digits behind the dot.
  if (/[uU]$/.test(digits)) {
    const value = BigInt(digits.slice(0, -1));
    if (value > 18446744073709551615n) throw new CelSyntaxError(at, 'invalid uint literal');
    return { token: { kind: 'uint', text: digits, value, position: at }, end };
  }
  if (/^0[xX]/.test(digits) || /^\d+$/.test(digits)) {
    return { token: { kind: 'int', text: digits, value: BigInt(digits), position: at }, end };
  }
  return { token: { kind: 'double', text: digits, value: Number(digits), position: at }, end };
}

function word(source: string, at: number, match: Match): Found {
  if (source[at] === '`') {
    const close = source.indexOf('`', at + 1);
    const name = source.slice(at + 1, close);
    if (close < 0 || !/^[A-Za-z0-9_.\-/ ]+$/.test(name))
      throw new CelSyntaxError(at, "token recognition error at: '`'");
    return { token: { kind: 'quoted', text: name, position: at }, end: close + 1 };
  }
  const ident = match(IDENT, at)?.[0];
  if (ident !== undefined) return { token: { kind: 'ident', text: ident, position: at }, end: at + ident.length };
  const operator = OPERATORS.find((op) => source.startsWith(op, at));
  if (operator === undefined) return undefined;
  return { token: { kind: 'op', text: operator, position: at }, end: at + operator.length };
}

function text(source: string, at: number, opening: string, quote: string): Found {
  const prefix = opening.slice(0, opening.length - quote.length).toLowerCase();
  const raw = prefix.includes('r');
  const isBytes = prefix.includes('b');
  const start = at + opening.length;
  let end = start;
  for (;;) {
    if (end >= source.length) throw new CelSyntaxError(at, `token recognition error at: '${source.slice(at)}'`);
    if (source.startsWith(quote, end)) break;
    const char = source[end];
    if (quote.length === 1 && (char === '\n' || char === '\r')) {
      throw new CelSyntaxError(at, `token recognition error at: '${source.slice(at, end)}'`);
    }
    end += char === '\\' && !raw ? 2 : 1;
  }
  const body = source.slice(start, end);
  const value = isBytes ? bytesOf(body, raw, at) : raw ? body : unescaped(body, at);
  return {
    token: { kind: isBytes ? 'bytes' : 'string', text: source.slice(at, end + quote.length), value, position: at },
    end: end + quote.length,
  };
}

const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g;
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};

function unescaped(body: string, at: number): string {
  return body.replace(ESCAPE, (_all, x, X, u, U, octal, plain: string | undefined) => {
    if (plain !== undefined) {
      const simple = SIMPLE[plain];
      if (simple === undefined) throw new CelSyntaxError(at, `unable to unescape string: \\${plain}`);
      return simple;
    }
    const code = octal === undefined ? Number.parseInt((x ?? X ?? u ?? U) as string, 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new CelSyntaxError(at, 'invalid unicode code point');
    }
    return String.fromCodePoint(code);
  });
}

/** Of bytes, \x and octal escapes are bytes themselves, not characters. */
function bytesOf(body: string, raw: boolean, at: number): Uint8Array {
  if (raw) return Buffer.from(body, 'utf8');
  const parts: Buffer[] = [];
  let last = 0;
  for (const m of body.matchAll(ESCAPE)) {
    parts.push(Buffer.from(body.slice(last, m.index), 'utf8'));
    const hex = m[1] ?? m[2];
    if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (m[5] !== undefined) parts.push(Buffer.from([Number.parseInt(m[5], 8)]));
    else parts.push(Buffer.from(unescaped(m[0], at), 'utf8'));
    last = m.index + m[0].length;
  }
  parts.push(Buffer.from(body.slice(last), 'utf8'));
  return Buffer.concat(parts);
}
