import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from './access.ts';
import { validateAccessSpec } from './validation.ts';

export const SubjectAccessReview = object('io.k8s.api.authorization.v1.SubjectAccessReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, SubjectAccessReviewSpec),
  status: opt(3, SubjectAccessReviewStatus),
}));
export interface SubjectAccessReview extends Infer<typeof SubjectAccessReview> {}

/** Subject access reviews: may this user do that? */
export const subjectAccessReviews = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  schema: SubjectAccessReview,
  namespaced: false,
  verbs: ['create'],
  stored: false,
  validate: (review) => validateAccessSpec(review.spec ?? {}, true),
});
