import { required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { UserInfo } from './userInfo.ts';

export const TokenReview = object('io.k8s.api.authentication.v1.TokenReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, TokenReviewSpec),
  status: opt(3, TokenReviewStatus),
}));
export interface TokenReview extends Infer<typeof TokenReview> {}

export const TokenReviewStatus = object('io.k8s.api.authentication.v1.TokenReviewStatus', () => ({
  authenticated: opt(1, bool, { pointer: false }),
  user: opt(2, UserInfo, { pointer: false }),
  error: opt(3, str),
  audiences: opt(4, list(str)),
}));
export interface TokenReviewStatus extends Infer<typeof TokenReviewStatus> {}

export const TokenReviewSpec = object('io.k8s.api.authentication.v1.TokenReviewSpec', () => ({
  token: req(1, str),
  audiences: opt(2, list(str)),
}));
export interface TokenReviewSpec extends Infer<typeof TokenReviewSpec> {}

/** Token reviews: whose token is this? */
export const tokenReviews = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  schema: TokenReview,
  namespaced: false,
  verbs: ['create'],
  stored: false,
  validate: (review) => (review.spec?.token ? [] : [required('spec.token')]),
});
