/** The OpenAPI documents of other API servers, as far as they concern the group and version that is theirs. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Aggregation } from './aggregation.ts';
import type { RemoteApi } from './remoteApi.ts';

/** A document is asked for anew when it is asked for after this. */
const KEPT_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** Nobody waits longer for a server that takes its time. */
const FIRST_WAIT_MS = 2_000;

type Json = Record<string, unknown>;

/** What version 2 has of a group and version. */
interface Version2Part {
  readonly paths: Json;
  readonly definitions: Json;
}

interface Documents {
  readonly version3: Buffer | undefined;
  readonly version2: Version2Part | undefined;
  /** of both */
  readonly hash: string;
}

/** What other servers have, by their API services. */
export type Others = ReadonlyMap<RemoteApi, Documents>;

interface Kept {
  /** when it was asked for last */
  at: number;
  documents: Documents;
  coming: Promise<void> | undefined;
}

const NONE: Documents = { version3: undefined, version2: undefined, hash: '' };

export class RemoteOpenApi {
  readonly #aggregation: Aggregation;
  readonly #clock: Clock;
  /** goes with the API service */
  readonly #kept = new WeakMap<RemoteApi, Kept>();

  constructor(aggregation: Aggregation, clock: Clock) {
    this.#aggregation = aggregation;
    this.#clock = clock;
  }

  /** Undefined where there is no other server: then nothing needs to be waited for. */
  all(): Promise<Others> | undefined {
    const { remotes } = this.#aggregation;
    if (remotes.length === 0) return undefined;
    return Promise.all(remotes.map(async (api) => [api, await this.#of(api)] as const)).then((all) => new Map(all));
  }

  /** What is known is told at once, however old it is; only who asks first waits a moment. */
  async #of(api: RemoteApi): Promise<Documents> {
    const now = this.#clock.monotonic();
    const kept = this.#kept.get(api) ?? { at: Number.NEGATIVE_INFINITY, documents: NONE, coming: undefined };
    this.#kept.set(api, kept);
    const first = kept.at === Number.NEGATIVE_INFINITY;
    if (api.available && now - kept.at >= KEPT_MS) this.#ask(api, kept);
    if (!first || kept.coming === undefined) return kept.documents;
    const given = new AbortController();
    const patience = this.#clock.sleep(FIRST_WAIT_MS, given.signal).catch(() => {});
    await Promise.race([kept.coming, patience]);
    given.abort();
    return kept.documents;
  }

  #ask(api: RemoteApi, kept: Kept): void {
    if (kept.coming !== undefined) return;
    kept.coming = documentsOf(api)
      .then((documents) => {
        kept.documents = documents;
      })
      // What it said before stays.
      .catch(() => {})
      .finally(() => {
        kept.at = this.#clock.monotonic();
        kept.coming = undefined;
      });
  }
}

async function documentsOf(api: RemoteApi): Promise<Documents> {
  const [version3, version2] = await Promise.all([version3Of(api), version2Of(api)]);
  const hash = createHash('sha256')
    .update(version3 ?? '')
    .update(JSON.stringify(version2 ?? ''));
  return { version3, version2, hash: hash.digest('hex') };
}

async function jsonAt(api: RemoteApi, path: string): Promise<{ value: Json; body: Buffer } | undefined> {
  const { status, body } = await api.ask({ path, headers: { accept: 'application/json' }, timeoutMs: TIMEOUT_MS });
  if (status !== 200) return undefined;
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? { value: value as Json, body } : undefined;
  } catch {
    return undefined;
  }
}

async function version3Of(api: RemoteApi): Promise<Buffer | undefined> {
  const index = await jsonAt(api, '/openapi/v3');
  const paths = index?.value.paths as Record<string, { serverRelativeURL?: unknown }> | undefined;
  const url = paths?.[`apis/${api.apiVersion}`]?.serverRelativeURL;
  if (typeof url !== 'string' || !url.startsWith('/')) return undefined;
  return (await jsonAt(api, url))?.body;
}

async function version2Of(api: RemoteApi): Promise<Version2Part | undefined> {
  const document = await jsonAt(api, '/openapi/v2');
  const { paths, definitions } = (document?.value ?? {}) as { paths?: Json; definitions?: Json };
  if (paths === undefined) return undefined;
  const below = `/apis/${api.apiVersion}/`;
  const own = Object.fromEntries(Object.entries(paths).filter(([path]) => `${path}/`.startsWith(below)));
  return { paths: own, definitions: reachable(own, definitions ?? {}) };
}

const REFERENCE = /"\$ref":"#\/definitions\/([^"]+)"/g;

/** The definitions that something refers to, and those that these refer to. */
function reachable(from: unknown, definitions: Json): Json {
  const found: Json = {};
  const waiting = [JSON.stringify(from)];
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    for (const [, name = ''] of text.matchAll(REFERENCE)) {
      if (Object.hasOwn(found, name) || !Object.hasOwn(definitions, name)) continue;
      found[name] = definitions[name];
      waiting.push(JSON.stringify(definitions[name]));
    }
  }
  return found;
}

/** The document with what others have. A definition of theirs that is another under the same name gets a name of its own. */
export function mergedVersion2(own: object, parts: readonly Version2Part[]): object {
  const document = own as { paths: Json; definitions: Json };
  const paths = { ...document.paths };
  const definitions = { ...document.definitions };
  for (const part of parts) {
    const renamed = new Map<string, string>();
    for (const [name, definition] of Object.entries(part.definitions)) {
      const there = definitions[name];
      if (there === undefined || JSON.stringify(there) === JSON.stringify(definition)) continue;
      let next = 2;
      while (Object.hasOwn(definitions, `${name}_v${next}`)) next++;
      renamed.set(name, `${name}_v${next}`);
    }
    const rename = <T>(value: T): T =>
      renamed.size === 0
        ? value
        : (JSON.parse(
            JSON.stringify(value).replaceAll(REFERENCE, (all, name: string) => {
              const other = renamed.get(name);
              return other === undefined ? all : `"$ref":"#/definitions/${other}"`;
            }),
          ) as T);
    for (const [name, definition] of Object.entries(part.definitions)) {
      definitions[renamed.get(name) ?? name] = rename(definition);
    }
    // What another server took over is told of as it has it.
    for (const [path, item] of Object.entries(part.paths)) paths[path] = rename(item);
  }
  return { ...document, paths, definitions };
}
