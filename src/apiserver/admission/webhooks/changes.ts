/** An object that is about to be written gets the content that a webhook or a policy gave it. */
import { cloneJson } from '../../../machinery/clone.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../../machinery/kind.ts';
import type { ObjectMeta } from '../../../machinery/meta.ts';
import { decode } from '../../../machinery/schema/decode.ts';
import { semanticEqual } from '../../../machinery/semanticEqual.ts';
import { apiError } from '../../../machinery/status.ts';
import { setDefaults } from '../../verbs/objects.ts';
import { fromHub, toHub } from '../../verbs/versions.ts';
import type { AdmissionRequest } from '../plugin.ts';

/** What nobody but the server sets. */
const SYSTEM_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'resourceVersion',
  'selfLink',
] as const;

/**
 * @param as the version that `value` is in
 * @returns whether anything is different now
 * @throws ApiError InternalError where `value` is no such object
 */
export function replaceObject(request: AdmissionRequest, as: Kind, value: unknown, now: number): boolean {
  const object = request.object as KubeObject;
  const decoded = decode<KubeObject>(as.schema, value);
  const [error] = decoded.errors;
  if (error !== undefined) {
    throw apiError('InternalError', `Internal error occurred: ${error.path}: ${error.message}`);
  }
  const next = decoded.value;
  next.apiVersion = object.apiVersion ?? '';
  next.kind = object.kind ?? '';
  setDefaults(as, next);
  const { kind } = request;
  const hub =
    kind.conversion === undefined ? toHub(as, next) : fromHub(kind, { ...next, apiVersion: apiVersionOf(as) });
  const before = cloneJson(object);
  // The parts of the server hold on to the object and to its metadata: both stay, with new content.
  object.metadata ??= {};
  const meta = object.metadata;
  refill(meta, keepSystemFields(hub.metadata ?? {}, meta));
  refill(object, { ...hub, apiVersion: before.apiVersion, kind: before.kind, metadata: meta });
  keepRest(request, now);
  return !semanticEqual(request.kind.schema, before, object);
}

function keepSystemFields(next: ObjectMeta, now: ObjectMeta): ObjectMeta {
  const kept = { ...next };
  for (const field of SYSTEM_FIELDS) {
    if (now[field] === undefined) delete kept[field];
    else (kept as Record<string, unknown>)[field] = now[field];
  }
  return kept;
}

function refill(target: object, content: object): void {
  const record = target as Record<string, unknown>;
  for (const key of Object.keys(record)) delete record[key];
  Object.assign(record, content);
}

/** What this call may not change is as it was, whoever changed it. */
function keepRest(request: AdmissionRequest, now: number): void {
  const { kind, operation, object, oldObject, subresource } = request;
  if (object === undefined) return;
  if (operation === 'CREATE') {
    kind.prepareForCreate?.(object);
    return;
  }
  if (oldObject === undefined) return;
  const rules =
    subresource === '' ? kind.update : subresource === 'status' ? kind.status : kind.subresources?.[subresource]?.rules;
  rules?.prepare?.(object, oldObject, now);
}
