import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const SelfSubjectRulesReview = object('io.k8s.api.authorization.v1.SelfSubjectRulesReview', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, SelfSubjectRulesReviewSpec),
  status: opt(3, SubjectRulesReviewStatus),
}));
export interface SelfSubjectRulesReview extends Infer<typeof SelfSubjectRulesReview> {}

export const SubjectRulesReviewStatus = object('io.k8s.api.authorization.v1.SubjectRulesReviewStatus', () => ({
  resourceRules: req(1, list(ResourceRule)),
  nonResourceRules: req(2, list(NonResourceRule)),
  incomplete: req(3, bool),
  evaluationError: opt(4, str),
}));
export interface SubjectRulesReviewStatus extends Infer<typeof SubjectRulesReviewStatus> {}

export const ResourceRule = object('io.k8s.api.authorization.v1.ResourceRule', () => ({
  verbs: req(1, list(str)),
  apiGroups: opt(2, list(str)),
  resources: opt(3, list(str)),
  resourceNames: opt(4, list(str)),
}));
export interface ResourceRule extends Infer<typeof ResourceRule> {}

export const NonResourceRule = object('io.k8s.api.authorization.v1.NonResourceRule', () => ({
  verbs: req(1, list(str)),
  nonResourceURLs: opt(2, list(str)),
}));
export interface NonResourceRule extends Infer<typeof NonResourceRule> {}

export const SelfSubjectRulesReviewSpec = object('io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec', () => ({
  namespace: opt(1, str),
}));
export interface SelfSubjectRulesReviewSpec extends Infer<typeof SelfSubjectRulesReviewSpec> {}

/** Self subject rules reviews: what may I do in this namespace? */
export const selfSubjectRulesReviews = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  schema: SelfSubjectRulesReview,
  namespaced: false,
  verbs: ['create'],
  stored: false,
});
