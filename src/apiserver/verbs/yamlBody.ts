/** YAML as Kubernetes reads it: YAML 1.1, but for times and numbers to the base of 60, which are texts. */
import { isScalar, parseDocument, visit } from 'yaml';
import { exactInteger } from '../../machinery/exactJson.ts';

export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** Aliases that multiply what they stand for are refused beyond this. */
const MAX_ALIASES = 100;
const MAX_DUPLICATES = 50;

/** What a text says. */
export interface YamlBody {
  readonly value: unknown;
  /** there are none that could be told by their paths: `repeated` tells them */
  readonly duplicates: readonly [];
  /** what is said of keys that stand twice in one object, of which the last counts; absent where none does */
  readonly repeated?: string;
}

/** @throws YamlError */
export function readYaml(text: string): YamlBody {
  try {
    return read(text);
  } catch (error) {
    // The library follows what is nested by calling itself.
    if (error instanceof RangeError) throw new YamlError('it is nested too deeply');
    throw error;
  }
}

function read(text: string): YamlBody {
  const document = parseDocument(text, {
    version: '1.1',
    uniqueKeys: false,
    intAsBigInt: true,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isTimeLike(tag)),
  });
  const [problem] = document.errors;
  if (problem !== undefined) throw new YamlError(problem.message.split('\n')[0]);
  const repeated: string[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        // A list or map would become a text, and each that it is in another one that holds it.
        if (key !== null && !isScalar(key)) throw new YamlError('a key is no text');
        const name = String(key?.value ?? null);
        if (seen.has(name) && repeated.length < MAX_DUPLICATES) {
          const at = key?.range?.[0] ?? 0;
          repeated.push(`  line ${lineOf(text, at)}: key ${JSON.stringify(name)} already set in map`);
        }
        seen.add(name);
      }
    },
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new YamlError((error as Error).message);
  }
  const body: YamlBody = { value: plain(value, 0), duplicates: [] };
  return repeated.length === 0 ? body : { ...body, repeated: `yaml: unmarshal errors:\n${repeated.join('\n')}` };
}

/** Lines count from 1. */
function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

function isTimeLike(tag: { readonly tag?: string; readonly format?: string }): boolean {
  return tag.tag === 'tag:yaml.org,2002:timestamp' || tag.format === 'TIME';
}

const MAX_DEPTH = 1000;

/** Whole numbers as numbers; sets, bytes and the like, which JSON has not, are refused. */
function plain(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new YamlError(`nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === 'bigint') {
    return exactInteger(String(value));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new YamlError('a number is none, or infinite');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new YamlError('a value has no form in JSON');
  const out = value as Record<string, unknown>;
  for (const key of Object.keys(out)) {
    const item = out[key];
    if (typeof item === 'bigint' || typeof item === 'number' || (typeof item === 'object' && item !== null)) {
      Object.defineProperty(out, key, {
        value: plain(item, depth + 1),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return out;
}
