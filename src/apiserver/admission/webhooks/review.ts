/**
 * AdmissionReview: what a webhook is asked, and what its answer says.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response
 */
import { parseExactJson } from '../../../machinery/exactJson.ts';
import type { Kind, KubeObject } from '../../../machinery/kind.ts';
import { isObject } from '../../../machinery/patch/merge.ts';
import { ApiError, type Status } from '../../../machinery/status.ts';
import { fromHub } from '../../verbs/versions.ts';
import { namespaceOf } from '../matching.ts';
import type { AdmissionRequest } from '../plugin.ts';
import type { Webhook } from './webhook.ts';

/** The options of each operation, which webhooks are told of. */
const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** What is asked, without the objects. */
export function requestFacts(request: AdmissionRequest, as: Kind) {
  const asked = request.asked ?? request.kind;
  const { user, subresource } = request;
  const name = request.generated === true ? '' : request.name;
  const namespace = namespaceOf(request);
  return {
    kind: kindOf(as, request),
    resource: { group: as.group, version: as.version, resource: as.plural },
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(asked, request),
    requestResource: { group: asked.group, version: asked.version, resource: asked.plural },
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
    dryRun: request.dryRun,
    options: optionsOf(request),
  };
}

/** @param as the version of the object that the webhook asks for */
export function reviewOf(request: AdmissionRequest, webhook: Webhook, as: Kind, uid: string): unknown {
  const view = (object: KubeObject | undefined) => (object === undefined ? null : fromHub(as, object));
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${webhook.version}`,
    request: {
      uid,
      ...requestFacts(request, as),
      object: view(request.object),
      oldObject: view(request.oldObject),
    },
  };
}

function kindOf(kind: Kind, request: AdmissionRequest) {
  // What connects is told by the kind of its options.
  const [group = '', version = ''] = request.object?.apiVersion?.includes('/')
    ? request.object.apiVersion.split('/')
    : ['', request.object?.apiVersion ?? ''];
  if (request.operation === 'CONNECT') return { group, version, kind: request.object?.kind ?? '' };
  return { group: kind.group, version: kind.version, kind: kind.kind };
}

function optionsOf({ operation, ctx, dryRun }: AdmissionRequest): unknown {
  if (operation === 'CONNECT') return null;
  const manager = ctx?.query.get('fieldManager');
  const validation = ctx?.query.get('fieldValidation');
  const isPatch = ctx?.method === 'PATCH';
  return {
    kind: isPatch && operation === 'UPDATE' ? 'PatchOptions' : OPTIONS[operation],
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(operation === 'DELETE' || !manager ? {} : { fieldManager: manager }),
    ...(operation === 'DELETE' || !validation ? {} : { fieldValidation: validation }),
  };
}

export interface Verdict {
  readonly allowed: boolean;
  readonly result: Partial<Status> | undefined;
  readonly warnings: readonly string[];
  /** a list of operations, parsed; undefined for none */
  readonly patch: readonly unknown[] | undefined;
}

/** What the answer says. @throws Error where it is none */
export function verdictOf(body: string, webhook: Webhook, uid: string, mutating: boolean): Verdict {
  const review = parse(body);
  const version = `admission.k8s.io/${webhook.version}`;
  if (!isObject(review)) throw new Error('the response is no object');
  if (review.kind !== undefined || review.apiVersion !== undefined || webhook.version === 'v1') {
    if (review.kind !== 'AdmissionReview' || review.apiVersion !== version) {
      const found = `${String(review.apiVersion ?? '')}, Kind=${String(review.kind ?? '')}`;
      throw new Error(`expected webhook response of ${version}, Kind=AdmissionReview, got ${found}`);
    }
  }
  const { response } = review;
  if (!isObject(response)) throw new Error('webhook response was absent');
  if (webhook.version === 'v1' && response.uid !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  }
  const { allowed = false, status, warnings = [], patch, patchType } = response;
  if (typeof allowed !== 'boolean') throw new Error('response.allowed must be true or false');
  if (status !== undefined && status !== null && !isObject(status))
    throw new Error('response.status must be an object');
  if (!isTextList(warnings)) throw new Error('response.warnings must be a list of texts');
  return {
    allowed,
    result: (status ?? undefined) as Partial<Status> | undefined,
    warnings,
    patch: patchOf(patch, patchType, webhook, mutating),
  };
}

const isTextList = (value: unknown): value is string[] =>
  value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string'));

function patchOf(patch: unknown, type: unknown, webhook: Webhook, mutating: boolean): readonly unknown[] | undefined {
  const given = patch !== undefined && patch !== null && patch !== '';
  const typed = type !== undefined && type !== null;
  if (!mutating) {
    if (webhook.version === 'v1' && given) throw new Error('validating webhook may not return response.patch');
    if (webhook.version === 'v1' && typed) throw new Error('validating webhook may not return response.patchType');
    return undefined;
  }
  if (webhook.version === 'v1') {
    if (given && !typed) throw new Error('webhook returned response.patch but not response.patchType');
    if (!given && typed) throw new Error('webhook returned response.patchType but not response.patch');
  }
  if (!given) return undefined;
  if (typed && type !== 'JSONPatch') throw new Error(`unsupported patch type ${JSON.stringify(type)}`);
  if (typeof patch !== 'string') throw new Error('response.patch must be base64');
  let operations: unknown;
  try {
    operations = parseExactJson(Buffer.from(patch, 'base64').toString('utf8'));
  } catch {
    operations = undefined;
  }
  if (!Array.isArray(operations)) throw new Error('received undecodable patch in webhook response');
  return operations.length === 0 ? undefined : operations;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error('the response is no JSON');
  }
}

/** The refusal of a webhook, as its client is told. */
export function denial(webhook: Webhook, result: Partial<Status> | undefined): ApiError {
  const by = `admission webhook ${JSON.stringify(webhook.name)} denied the request`;
  const said = text(result?.message) || text(result?.reason);
  const code = typeof result?.code === 'number' && result.code >= 400 && result.code <= 599 ? result.code : 400;
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: said === '' ? `${by} without explanation` : `${by}: ${said}`,
    ...(text(result?.reason) === '' ? {} : { reason: text(result?.reason) }),
    ...(isObject(result?.details) ? { details: result.details } : {}),
    code,
  });
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');
