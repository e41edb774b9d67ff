import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';
import { UserInfo } from './userInfo.ts';

export const SelfSubjectReview = object('io.k8s.api.authentication.v1.SelfSubjectReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  status: opt(2, SelfSubjectReviewStatus),
}));
export interface SelfSubjectReview extends Infer<typeof SelfSubjectReview> {}

export const SelfSubjectReviewStatus = object('io.k8s.api.authentication.v1.SelfSubjectReviewStatus', () => ({
  userInfo: opt(1, UserInfo, { pointer: false }),
}));
export interface SelfSubjectReviewStatus extends Infer<typeof SelfSubjectReviewStatus> {}

/** Self subject reviews: who am I? */
export const selfSubjectReviews = defineKind<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  schema: SelfSubjectReview,
  namespaced: false,
  verbs: ['create'],
  stored: false,
});
