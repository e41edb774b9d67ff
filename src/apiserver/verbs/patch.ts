/** PATCH: JSON patch, merge patch, strategic merge patch; server-side apply is in `apply.ts`. */
import { forbidden } from '../../machinery/fieldError.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { applyJsonPatch } from '../../machinery/patch/json.ts';
import { isObject, mergePatch } from '../../machinery/patch/merge.ts';
import { strategicMergePatch } from '../../machinery/patch/strategic.ts';
import { withStructs } from '../../machinery/patch/structs.ts';
import type { JsonObject, JsonValue } from '../../machinery/schema/types.ts';
import { apiError, badRequest, invalidObject } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import type { RequestBody, RequestContext } from '../context.ts';
import type { ApiServerParts } from '../stage.ts';
import { APPLY_CBOR_TYPE, APPLY_TYPE, applyVerb } from './apply.ts';
import { assertMatchesPath, decodeObject, metaOf, parseJsonBody, setDefaults } from './objects.ts';
import { baseOf, sharing } from './sharing.ts';
import { changeObject } from './update.ts';

const SUPPORTED = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
/** Of custom resources there is no strategic merge patch. */
const SUPPORTED_CUSTOM = SUPPORTED.slice(0, 2);

export async function patchVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  await parts.registry.cache(kind).freshen();
  const body = await ctx.readBody();
  if (body.contentType === APPLY_TYPE || body.contentType === APPLY_CBOR_TYPE) return applyVerb(parts, ctx, kind, body);
  const { patch, duplicates, contentType } = patchOf(body, kind);
  assertNotForced(ctx);
  const namesOwners = saysManagedFields(patch);
  return sharing((share) =>
    changeObject(parts, ctx, kind, (old) => {
      const target = namesOwners ? old : withoutOwners(old);
      const value = applyPatch(kind, contentType, target as unknown as JsonObject, patch);
      // Parts of the old object, which is frozen, are shared by the result: decoding makes it our own.
      const object = decodeObject(ctx, kind, { value, duplicates }, share ? baseOf(kind, old) : undefined);
      // What the patch says nothing of is no condition: the patch is tried again when somebody was faster.
      const meta = metaOf(object);
      assertMatchesPath(ctx, meta);
      if (meta.name === undefined && old.metadata?.name !== undefined) meta.name = old.metadata.name;
      if (meta.resourceVersion === old.metadata?.resourceVersion) delete meta.resourceVersion;
      setDefaults(kind, object);
      return object;
    }),
  );
}

/** @throws ApiError Invalid: only what is applied can be forced */
export function assertNotForced(ctx: RequestContext): void {
  if (!ctx.query.has('force')) return;
  throw invalidObject({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
    forbidden('force', 'may not be specified for non-apply patch'),
  ]);
}

/** Whether a patch may concern managedFields. Where not, they are left out of what it is applied to: they are long. */
function saysManagedFields(patch: unknown): boolean {
  if (Array.isArray(patch)) {
    return patch.some((operation: { path?: unknown; from?: unknown } | null) =>
      [operation?.path, operation?.from].some((path) => typeof path === 'string' && OWNERS_PATH.test(path)),
    );
  }
  // A directive for the whole of metadata concerns them, too.
  const metadata = isObject(patch) ? patch.metadata : undefined;
  if (metadata === undefined) return isObject(patch) && Object.hasOwn(patch, '$patch');
  return !isObject(metadata) || Object.keys(metadata).some((key) => key === 'managedFields' || key.startsWith('$'));
}

/** A pointer to managedFields or to what they are in; `~` is an escape, and may stand for anything. */
const OWNERS_PATH = /^(?:$|\/metadata(?:$|\/managedFields))|~/;

function withoutOwners(object: KubeObject): KubeObject {
  const { managedFields: _owners, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

interface Patch {
  readonly patch: unknown;
  readonly duplicates: readonly string[];
  readonly contentType: string;
}

/** @throws ApiError UnsupportedMediaType, BadRequest */
export function patchOf(body: RequestBody, kind?: Kind): Patch {
  const { contentType } = body;
  const supported = kind?.withoutStrategicMerge === true ? SUPPORTED_CUSTOM : SUPPORTED;
  if (!supported.includes(contentType)) {
    throw apiError(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${[...supported, APPLY_TYPE, APPLY_CBOR_TYPE].join(', ')}`,
    );
  }
  if (body.type === 'object') return { patch: body.object, duplicates: [], contentType };
  const parsed = parseJsonBody(body.bytes);
  return { patch: parsed.value, duplicates: parsed.duplicates, contentType };
}

/** The patched object. @throws ApiError */
export function applyPatch(kind: Kind, contentType: string, old: JsonObject, patch: unknown): JsonValue {
  if (contentType === 'application/json-patch+json') return applyJsonPatch(withStructs(kind.schema, old, patch), patch);
  if (!isObject(patch)) throw badRequest('the patch must be an object');
  if (contentType === 'application/merge-patch+json') return mergePatch(old, patch);
  return strategicMergePatch(kind.schema, old, patch);
}
