/**
 * The Status object: how every refusal reaches a client, with a reason and a code.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
import { type FieldError, fieldErrorBody, fieldErrorMessage } from './fieldError.ts';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, unknown>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** The code that goes with each reason. */
const CODE = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

export type StatusReason = keyof typeof CODE;

const BRAND = Symbol.for('kubets.ApiError');

/** A refusal by the API, thrown on both sides of the wire. Tell it by `isApiError`, which works across copies of this package. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly [BRAND] = true;
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? `status ${status.code}`);
    this.status = status;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }

  get code(): number {
    return this.status.code;
  }
}

export function isApiError(e: unknown, reason?: StatusReason): e is ApiError {
  return (
    typeof e === 'object' && e !== null && BRAND in e && (reason === undefined || (e as ApiError).reason === reason)
  );
}

/** Any failure by its reason; the code follows from it. */
export function apiError(reason: StatusReason, message: string, details?: StatusDetails): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code: CODE[reason],
  });
}

/** What names a resource in a message: `deployments.apps`, or `pods` for the core group. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

const qualified = (r: ResourceName) => (r.group === '' ? r.plural : `${r.plural}.${r.group}`);
const detailsOf = (r: ResourceName, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(r.group === '' ? {} : { group: r.group }),
  kind: r.plural,
});

export const notFound = (r: ResourceName, name: string) =>
  apiError('NotFound', `${qualified(r)} "${name}" not found`, detailsOf(r, name));
export const alreadyExists = (r: ResourceName, name: string) =>
  apiError('AlreadyExists', `${qualified(r)} "${name}" already exists`, detailsOf(r, name));
export const conflict = (r: ResourceName, name: string, why: string) =>
  apiError('Conflict', `Operation cannot be fulfilled on ${qualified(r)} "${name}": ${why}`, detailsOf(r, name));
export const badRequest = (message: string) => apiError('BadRequest', message);
export const forbiddenRequest = (r: ResourceName, name: string, why: string) =>
  apiError('Forbidden', `${qualified(r)} ${JSON.stringify(name)} is forbidden: ${why}`, detailsOf(r, name));

/** Nobody reads more; a small object may have so many errors that their texts are a hundred times its size. */
const MAX_TOLD = 1000;

/** 422 with a cause for each fault. `kind` is the kind's name, as `Deployment` in group `apps`. */
export function invalidObject(
  kind: { group: string; kind: string },
  name: string,
  all: readonly FieldError[],
): ApiError {
  const errors = all.slice(0, MAX_TOLD);
  const messages = errors.map(fieldErrorMessage);
  if (all.length > MAX_TOLD) messages.push(`and ${all.length - MAX_TOLD} more`);
  const list = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
  const shown = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return apiError('Invalid', `${shown} ${JSON.stringify(name)} is invalid: ${list}`, {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: errors.map((e) => ({ reason: e.type, message: fieldErrorBody(e), field: e.field })),
  });
}
