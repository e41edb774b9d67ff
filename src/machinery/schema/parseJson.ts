/** JSON as clients send it: parsed once, looked through for duplicate fields and hostile depth. */
import { parseExactJson } from '../exactJson.ts';

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** Deeper than any object of the API; a schema of a custom resource comes nearest. */
const MAX_DEPTH = 1000;
const MAX_DUPLICATES = 50;

export interface ParsedJson {
  readonly value: unknown;
  /** paths of fields that stand twice in one object; the last one counts */
  readonly duplicates: readonly string[];
}

/** @throws JsonSyntaxError */
export function parseJson(text: string): ParsedJson {
  const duplicates: string[] = [];
  const isExact = scan(text, duplicates);
  try {
    return { value: isExact ? JSON.parse(text) : parseExactJson(text), duplicates };
  } catch (error) {
    throw new JsonSyntaxError((error as Error).message);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

interface Level {
  /** keys seen, for an object */
  readonly keys: string[] | undefined;
  set: Set<string> | undefined;
  index: number;
  key: string;
}

/** Objects with more keys than this are looked up in a set. */
const FEW_KEYS = 16;

/**
 * One pass over the text. It trusts the text to be JSON where that does not matter for its own
 * safety: JSON.parse, which follows, refuses the rest.
 * @returns whether JSON.parse keeps all whole numbers as they are
 */
function scan(text: string, duplicates: string[]): boolean {
  let isExact = true;
  const levels: Level[] = [];
  let level: Level | undefined;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const start = i + 1;
        let end = text.indexOf('"', start);
        while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
        if (end < 0) return isExact;
        i = end;
        if (level?.keys !== undefined && nextToken(text, end + 1) === COLON) {
          const raw = text.slice(start, end);
          see(levels, level, raw.includes('\\') ? unescaped(raw) : raw, duplicates);
        }
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (levels.length >= MAX_DEPTH) throw new JsonSyntaxError(`nested deeper than ${MAX_DEPTH} levels`);
        level = { keys: text.charCodeAt(i) === OPEN_OBJECT ? [] : undefined, set: undefined, index: 0, key: '' };
        levels.push(level);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        levels.pop();
        level = levels[levels.length - 1];
        break;
      case COMMA:
        if (level !== undefined) level.index++;
        break;
      default:
        if (isDigit(text.charCodeAt(i))) {
          const end = endOfNumber(text, i);
          if (end - i >= EXACT_DIGITS) isExact = false;
          i = end - 1;
        }
    }
  }
  return isExact;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
/** Whole numbers of fewer digits are kept exactly. */
const EXACT_DIGITS = 16;

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

function isEscaped(text: string, quote: number): boolean {
  let count = 0;
  for (let i = quote - 1; i >= 0 && text.charCodeAt(i) === BACKSLASH; i--) count++;
  return count % 2 === 1;
}

function nextToken(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c;
  }
  return 0;
}

function unescaped(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

function see(levels: readonly Level[], level: Level, key: string, duplicates: string[]): void {
  const keys = level.keys as string[];
  level.key = key;
  if (level.set === undefined && keys.length > FEW_KEYS) level.set = new Set(keys);
  const there = level.set === undefined ? keys.includes(key) : level.set.has(key);
  if (!there) {
    keys.push(key);
    level.set?.add(key);
    return;
  }
  if (duplicates.length < MAX_DUPLICATES) {
    const path = pathOf(levels);
    if (!duplicates.includes(path)) duplicates.push(path);
  }
}

function pathOf(levels: readonly Level[]): string {
  let path = '';
  for (const level of levels) {
    if (level.keys === undefined) path += `[${level.index}]`;
    else path += path === '' ? level.key : `.${level.key}`;
  }
  return path;
}
