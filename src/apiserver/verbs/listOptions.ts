/**
 * What may be said of a list or a watch, and what does not go together.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 */
import { type FieldError, forbidden, notSupported } from '../../machinery/fieldError.ts';
import { badRequest, invalidObject } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';

const EXACT = 'Exact';
const NOT_OLDER = 'NotOlderThan';
const MATCH = 'resourceVersionMatch';

/** @throws ApiError Invalid, with all that is wrong */
export function assertListOptions(query: URLSearchParams): void {
  // Nearly all lists say nothing of this.
  if (!query.has(MATCH) && !query.has('sendInitialEvents')) return;
  const match = query.get(MATCH) ?? '';
  const version = query.get('resourceVersion') ?? '';
  const errors: FieldError[] = [];
  if (match !== '') {
    if (version === '') errors.push(forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
    if (isContinued(query)) errors.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
    if (match !== EXACT && match !== NOT_OLDER) errors.push(notSupported(MATCH, match, [EXACT, NOT_OLDER, '']));
    if (match === EXACT && version === '0') {
      errors.push(forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (query.has('sendInitialEvents')) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  assertNone(errors);
}

/** @throws ApiError Invalid, with all that is wrong */
export function assertWatchOptions(query: URLSearchParams): void {
  const initial = query.has('sendInitialEvents');
  const match = query.get(MATCH) ?? '';
  const errors: FieldError[] = [];
  if (initial && match !== NOT_OLDER) {
    errors.push(forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to ${NOT_OLDER}`));
  }
  if (match !== '') {
    if (!initial) {
      errors.push(forbidden(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`));
    }
    if (match !== NOT_OLDER) errors.push(notSupported(MATCH, match, [NOT_OLDER]));
    if (isContinued(query)) errors.push(forbidden(MATCH, `${MATCH} is forbidden when continue is provided`));
  }
  assertNone(errors);
}

const isContinued = (query: URLSearchParams) => (query.get('continue') ?? '') !== '';

function assertNone(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
}

/** A whole number of the query; 0 where there is none. @throws ApiError BadRequest */
export function wholeNumberOf(ctx: RequestContext, name: string): number {
  const text = ctx.query.get(name) ?? '';
  if (text === '') return 0;
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return value;
}
