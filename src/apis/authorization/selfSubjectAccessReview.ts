import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { NonResourceAttributes, ResourceAttributes, SubjectAccessReviewStatus } from './access.ts';
import { validateAccessSpec } from './validation.ts';

export const SelfSubjectAccessReview = object('io.k8s.api.authorization.v1.SelfSubjectAccessReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, SelfSubjectAccessReviewSpec),
  status: opt(3, SubjectAccessReviewStatus),
}));
export interface SelfSubjectAccessReview extends Infer<typeof SelfSubjectAccessReview> {}

export const SelfSubjectAccessReviewSpec = object('io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec', () => ({
  resourceAttributes: opt(1, ResourceAttributes),
  nonResourceAttributes: opt(2, NonResourceAttributes),
}));
export interface SelfSubjectAccessReviewSpec extends Infer<typeof SelfSubjectAccessReviewSpec> {}

/** Self subject access reviews: may I do that? */
export const selfSubjectAccessReviews = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  schema: SelfSubjectAccessReview,
  namespaced: false,
  verbs: ['create'],
  stored: false,
  validate: (review) => validateAccessSpec(review.spec ?? {}, false),
});
