import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from './access.ts';

export const LocalSubjectAccessReview = object('io.k8s.api.authorization.v1.LocalSubjectAccessReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, SubjectAccessReviewSpec),
  status: opt(3, SubjectAccessReviewStatus),
}));
export interface LocalSubjectAccessReview extends Infer<typeof LocalSubjectAccessReview> {}

/** Local subject access reviews: may this user do that in this namespace? */
export const localSubjectAccessReviews = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  schema: LocalSubjectAccessReview,
  verbs: ['create'],
  stored: false,
});
