/**
 * Conversion of custom resources between their versions by a webhook.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
 */
import type { CustomResourceDefinition } from '../../apis/apiextensions/customResourceDefinition.ts';
import type { Random } from '../../lib/random.ts';
import { encodeStored } from '../../machinery/encode.ts';
import { parseExactJson, stringifyExactJson } from '../../machinery/exactJson.ts';
import { deepFreeze } from '../../machinery/freeze.ts';
import { apiVersionOf, type Kind, type KubeObject, type StorageConversion } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { validateMeta } from '../../machinery/validateMeta.ts';
import type { WebhookCaller } from '../admission/webhooks/call.ts';

const TIMEOUT_SECONDS = 30;
/** Objects that go with one call. */
const BATCH = 500;
/** Objects in other versions that are remembered, for those who need them again in a moment. */
const MAX_VIEWS = 64;
/** The versions of the review that are spoken here. */
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

type Json = Record<string, unknown>;

export interface ConversionParts {
  readonly caller: WebhookCaller;
  readonly random: Random;
}

/** What is stored, in `kind`'s version. @param stored the kind as which objects are stored */
export function webhookConversion(
  crd: CustomResourceDefinition,
  kind: Kind,
  stored: () => Kind,
  parts: ConversionParts,
): StorageConversion {
  const own = apiVersionOf(kind);
  const opening = Buffer.from(`{"apiVersion":${JSON.stringify(own)},`);
  const views = new Map<string, KubeObject>();
  const isOwn = (bytes: Buffer) => bytes.length === 0 || bytes.subarray(0, opening.length).equals(opening);
  return {
    fromStored(all) {
      return all.every(isOwn) ? undefined : convertAll(all);
    },
    toStored(bytes) {
      const target = stored();
      if (target.version === kind.version) return undefined;
      return convertObjects(crd, [parse(bytes)], target, parts).then(([object]) =>
        encodeStored(target, object as KubeObject),
      );
    },
    known: (object) => views.get(stringifyExactJson(object)),
    async load(object) {
      const [converted] = await convertObjects(crd, [{ ...object, kind: kind.kind }], kind, parts);
      for (const [oldest] of views) {
        if (views.size < MAX_VIEWS) break;
        views.delete(oldest);
      }
      views.set(stringifyExactJson(object), deepFreeze(converted as KubeObject));
    },
  };

  async function convertAll(all: readonly Buffer[]): Promise<Buffer[]> {
    const out = [...all];
    const foreign = [...all.keys()].filter((i) => !isOwn(all[i] as Buffer));
    for (let from = 0; from < foreign.length; from += BATCH) {
      const indices = foreign.slice(from, from + BATCH);
      const objects = indices.map((i) => parse(all[i] as Buffer));
      const converted = await convertObjects(crd, objects, kind, parts);
      for (const [at, i] of indices.entries()) out[i] = encodeStored(kind, converted[at] as KubeObject);
    }
    return out;
  }
}

const parse = (bytes: Buffer) => parseExactJson(bytes.toString('utf8')) as KubeObject;

/** One call of the webhook. @throws ApiError InternalError */
export async function convertObjects(
  crd: CustomResourceDefinition,
  objects: readonly KubeObject[],
  target: Kind,
  { caller, random }: ConversionParts,
): Promise<KubeObject[]> {
  const { clientConfig, conversionReviewVersions = [] } = crd.spec.conversion?.webhook ?? {};
  const of = `${objects[0]?.apiVersion}, Kind=${objects[0]?.kind}`;
  const fail = (why: string) => apiError('InternalError', `conversion webhook for ${of} ${why}`);
  const version = conversionReviewVersions.find((v) => REVIEW_VERSIONS.includes(v));
  if (version === undefined || clientConfig === undefined) throw fail('failed: no supported review versions');
  const apiVersion = `apiextensions.k8s.io/${version}`;
  const uid = random.uuid();
  const desiredAPIVersion = apiVersionOf(target);
  let answer: string;
  try {
    answer = await caller.call({
      client: clientConfig,
      body: stringifyExactJson({ kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } }),
      timeoutSeconds: TIMEOUT_SECONDS,
    });
  } catch (error) {
    throw fail(`failed: ${(error as Error).message}`);
  }
  const converted = convertedObjects(answer, { apiVersion, uid, strict: version === 'v1' }, fail);
  if (converted.length !== objects.length) {
    throw fail(`returned ${converted.length} objects, expected ${objects.length}`);
  }
  return converted.map((object, i) => {
    try {
      return restored(objects[i] as KubeObject, object, target);
    } catch (error) {
      throw fail(`returned invalid converted object at index ${i}: ${(error as Error).message}`);
    }
  });
}

function convertedObjects(
  answer: string,
  expected: { readonly apiVersion: string; readonly uid: string; readonly strict: boolean },
  fail: (why: string) => Error,
): unknown[] {
  let review: unknown;
  try {
    review = parseExactJson(answer) as typeof review;
  } catch (error) {
    throw fail(`failed: the response is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(review)) throw fail('failed: the response is no object');
  const { apiVersion, kind, response } = review;
  if (expected.strict && (apiVersion !== expected.apiVersion || kind !== 'ConversionReview')) {
    const got = `${String(apiVersion ?? '')}, Kind=${String(kind ?? '')}`;
    throw fail(`failed: expected webhook response of ${expected.apiVersion}, Kind=ConversionReview, got ${got}`);
  }
  if (!isObject(response)) throw fail('failed: no response provided');
  if (expected.strict && response.uid !== expected.uid) {
    const got = JSON.stringify(response.uid ?? '');
    throw fail(`failed: expected response.uid=${JSON.stringify(expected.uid)}, got ${got}`);
  }
  const { status, message } = isObject(response.result) ? response.result : ({} as Json);
  if (status !== 'Success') {
    const why = typeof message === 'string' && message !== '' ? message : undefined;
    throw fail(`failed: ${why ?? `response.result.status was '${String(status ?? '')}', not 'Success'`}`);
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of the metadata only labels and annotations may be other ones. @throws Error */
function restored(original: KubeObject, converted: unknown, target: Kind): KubeObject {
  if (!isObject(converted)) throw new Error('it is no object');
  const apiVersion = apiVersionOf(target);
  if (converted.apiVersion !== apiVersion) {
    throw new Error(`invalid groupVersion (expected ${apiVersion}, received ${String(converted.apiVersion ?? '')})`);
  }
  if (converted.kind !== target.kind) {
    throw new Error(`invalid kind (expected ${target.kind}, received ${String(converted.kind ?? '')})`);
  }
  const { metadata } = converted;
  if (!isObject(metadata)) throw new Error('missing metadata in converted object');
  const was = original.metadata ?? {};
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((metadata[field] ?? '') === (was[field] ?? '')) continue;
    throw new Error(
      `must have the same ${field === 'uid' ? 'UID' : field}: ${was[field]} != ${String(metadata[field])}`,
    );
  }
  const { labels: _labels, annotations: _annotations, ...kept } = was;
  const meta = { ...kept } as NonNullable<KubeObject['metadata']>;
  for (const field of ['labels', 'annotations'] as const) {
    const value = metadata[field];
    if (value === undefined || value === null) continue;
    if (!isObject(value) || Object.values(value).some((v) => typeof v !== 'string')) {
      throw new Error(`metadata.${field} must be a map of strings in converted object`);
    }
    meta[field] = value as Record<string, string>;
  }
  const [fault] = validateMeta(target, meta).filter(({ field }) => /^metadata\.(labels|annotations)/.test(field));
  if (fault !== undefined) throw new Error(`${fault.field}: ${fault.detail ?? fault.type}`);
  return { ...converted, metadata: meta } as KubeObject;
}
