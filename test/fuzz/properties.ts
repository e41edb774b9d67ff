/** What must hold of every answer, whatever was asked. */
import { builtinKinds } from '../../src/apis/registry.ts';
import { fieldErrorMessage } from '../../src/machinery/fieldError.ts';
import { hubOf, type Kind, type KubeObject } from '../../src/machinery/kind.ts';
import { decode } from '../../src/machinery/schema/decode.ts';
import { validateMeta } from '../../src/machinery/validateMeta.ts';
import { bytesOf } from './bodies.ts';
import { gadgets } from './customKind.ts';
import { collectionOf, type FuzzRequest } from './requests.ts';
import type { Answer, FuzzServer } from './server.ts';

/** Full, or far away: what a server may say when it is not its fault. */
const BY_DESIGN: ReadonlySet<number> = new Set([503, 504]);

/** Definitions are acted upon within milliseconds; a request takes one. */
const MAX_ASKING = 500;

/** Kinds that the server itself goes on writing to. */
const TENDED: ReadonlySet<string> = new Set([
  'flowschemas',
  'prioritylevelconfigurations',
  'customresourcedefinitions',
  'apiservices',
  'servicecidrs',
  'validatingadmissionpolicies',
]);

export class PropertyError extends Error {
  override readonly name = 'PropertyError';
}

/** Sends a request and what shows whether its answer is true. Counts what it sends. @throws PropertyError */
export async function check(
  server: FuzzServer,
  request: FuzzRequest,
  count: (requests: number) => void,
): Promise<void> {
  const search = new URLSearchParams(request.query).toString();
  const answer = await asked(server, {
    method: request.method,
    path: search === '' ? request.path : `${request.path}?${search}`,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: bytesOf(request.body) }),
    endless: request.query.watch !== undefined || request.path.includes('/watch'),
  });
  count(1);
  const errors = server.takeErrors();
  if (errors.length > 0) throw new PropertyError(`an error was logged: ${errors.join('\n')}`);
  assertAnswer(request, answer);
  if (request.serves !== undefined) count(await untilServed(server, request.serves));
  const written = writtenBy(request, answer);
  if (written !== undefined) count(await assertStored(server, written));
}

/** Waits until a kind that was just defined is served. Returns how many requests that took. */
async function untilServed(server: FuzzServer, path: string): Promise<number> {
  for (let asking = 1; asking <= MAX_ASKING; asking++) {
    if ((await asked(server, { method: 'GET', path })).status === 200) return asking;
  }
  throw new PropertyError(`${path} is not served, though its definition was stored`);
}

async function asked(server: FuzzServer, sent: Parameters<FuzzServer['send']>[0]): Promise<Answer> {
  try {
    return await server.send(sent);
  } catch (error) {
    throw new PropertyError(`no answer: ${(error as Error).message}`);
  }
}

function assertAnswer({ method }: FuzzRequest, answer: Answer): void {
  const { status, text, contentType } = answer;
  if (status >= 500 && !BY_DESIGN.has(status)) throw new PropertyError(`status ${status}: ${text}`);
  if (status < 200) throw new PropertyError(`status ${status}`);
  if (status < 400 || method === 'HEAD') return;
  if (!contentType.startsWith('application/json')) {
    if (text === '') throw new PropertyError(`status ${status} without a word`);
    return;
  }
  const said = parsed(text) as { kind?: string; status?: string; reason?: string; code?: number; message?: string };
  if (said?.kind !== 'Status' || said.status !== 'Failure' || said.code !== status || !said.reason || !said.message) {
    throw new PropertyError(`status ${status} without a proper Status: ${text}`);
  }
}

/** What a request wrote, as far as its answer says. */
interface Written {
  readonly kind: Kind;
  readonly path: string;
  /** where the answer is the object, in JSON */
  readonly object?: KubeObject;
}

function writtenBy(request: FuzzRequest, { status, text, contentType }: Answer): Written | undefined {
  const { method, kind, parent, query, path } = request;
  if (status > 201 || 'dryRun' in query) return undefined;
  if (method !== 'POST' && method !== 'PUT' && method !== 'PATCH') return undefined;
  if (parent !== undefined) return parent;
  if (kind?.stored !== true) return undefined;
  const plain = contentType.startsWith('application/json') && !contentType.includes('as=');
  const object = plain ? (parsed(text) as KubeObject) : undefined;
  if (object === undefined || object.kind === 'Table' || object.kind === 'PartialObjectMetadata') {
    // What was created with a name of its own making is not found again.
    return method === 'POST' ? undefined : { kind, path };
  }
  if (object.kind !== kind.kind) throw new PropertyError(`a write of a ${kind.kind} was answered with ${text}`);
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new PropertyError('a written object has no name');
  return { kind, path: `${collectionOf(kind, namespace ?? '')}/${encodeURIComponent(name)}`, object };
}

/** Sent again, it is taken as it is. Returns how many requests were sent. */
async function assertStored(server: FuzzServer, { kind, path, object }: Written): Promise<number> {
  const read = await asked(server, { method: 'GET', path });
  const deleted = object === undefined || object.metadata?.deletionTimestamp !== undefined;
  if (read.status === 404 && deleted) return 1;
  if (read.status !== 200) throw new PropertyError(`what was written is not there: ${read.status} ${read.text}`);
  const found = parsed(read.text) as KubeObject;
  const tended = TENDED.has(kind.plural);
  if (!tended && object !== undefined && JSON.stringify(found) !== JSON.stringify(object)) {
    throw new PropertyError(`what was answered is not what is there:\n${JSON.stringify(object)}\n${read.text}`);
  }
  assertValid(kind, found);
  if (tended || !kind.verbs.includes('update')) return 1;
  const again = await asked(server, {
    method: 'PUT',
    path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(read.text),
  });
  if (again.status === 404 && found.metadata?.deletionTimestamp !== undefined) return 2;
  if (again.status !== 200) throw new PropertyError(`what was read is refused when it is sent back: ${again.text}`);
  const after = parsed(again.text) as KubeObject;
  if (after.metadata?.resourceVersion !== found.metadata?.resourceVersion) {
    throw new PropertyError(`sending back what was read changed it:\n${read.text}\n${again.text}`);
  }
  return 2;
}

/** Nothing is stored that the kind's own validation refuses, or its schema does not know. */
function assertValid(kind: Kind, object: KubeObject): void {
  const copy = structuredClone(object);
  const { value, errors, unknown } = kind.decode?.(copy) ?? decode<KubeObject>(kind.schema, copy);
  if (errors.length > 0 || unknown.length > 0) {
    throw new PropertyError(`stored against its schema: ${JSON.stringify({ errors, unknown, object })}`);
  }
  const hub = hubOf(kind);
  const stored = kind.hub === undefined ? value : kind.hub.toHub(value);
  const faults = [...validateMeta(hub, stored.metadata ?? {}), ...(hub.validate?.(stored) ?? [])];
  if (faults.length > 0) {
    throw new PropertyError(
      `stored against its validation: ${faults.map(fieldErrorMessage).join('; ')}\n${JSON.stringify(object)}`,
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PropertyError(`the answer is no JSON: ${text.slice(0, 500)}`);
  }
}

/** What may be fuzzed: every kind, one that is defined at run time among them, or those whose plural is named. */
export function kindsNamed(plurals: readonly string[]): readonly Kind[] {
  const all = [...builtinKinds, gadgets];
  return plurals.length === 0 ? all : all.filter((kind) => plurals.includes(kind.plural));
}
