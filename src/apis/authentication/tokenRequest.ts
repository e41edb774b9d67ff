import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int64, list, object, opt, str, time } from '../../machinery/schema/types.ts';

export const TokenRequest = object('io.k8s.api.authentication.v1.TokenRequest', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, TokenRequestSpec),
  status: opt(3, TokenRequestStatus),
}));
export interface TokenRequest extends Infer<typeof TokenRequest> {}

export const TokenRequestStatus = object('io.k8s.api.authentication.v1.TokenRequestStatus', () => ({
  token: opt(1, str),
  expirationTimestamp: opt(2, time),
}));
export interface TokenRequestStatus extends Infer<typeof TokenRequestStatus> {}

export const TokenRequestSpec = object('io.k8s.api.authentication.v1.TokenRequestSpec', () => ({
  audiences: opt(1, list(str)),
  boundObjectRef: opt(3, BoundObjectReference),
  expirationSeconds: opt(4, int64, { default: 3600 }),
}));
export interface TokenRequestSpec extends Infer<typeof TokenRequestSpec> {}

export const BoundObjectReference = object('io.k8s.api.authentication.v1.BoundObjectReference', () => ({
  kind: opt(1, str),
  apiVersion: opt(2, str),
  name: opt(3, str),
  uid: opt(4, str),
}));
export interface BoundObjectReference extends Infer<typeof BoundObjectReference> {}

/** Token requests: what is sent to a service account's `token`; no resource of its own. */
export const tokenRequests = defineKind<TokenRequest>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'serviceaccounts/token',
  schema: TokenRequest,
  verbs: ['create'],
  stored: false,
  validate(request) {
    const errors: FieldError[] = [];
    const seconds = request.spec?.expirationSeconds ?? SHORTEST_SECONDS;
    if (seconds < SHORTEST_SECONDS) {
      errors.push(invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds > LONGEST_SECONDS) {
      errors.push(invalid('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
    return errors;
  },
});

const SHORTEST_SECONDS = 600;
const LONGEST_SECONDS = 2 ** 32;
