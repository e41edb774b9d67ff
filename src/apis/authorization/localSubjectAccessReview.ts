import { invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from './access.ts';
import { validateAccessSpec } from './validation.ts';

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
  validate(review) {
    const spec = review.spec ?? {};
    const errors = validateAccessSpec(spec, true);
    const namespace = review.metadata?.namespace ?? '';
    if (spec.nonResourceAttributes !== undefined) {
      const detail = 'disallowed on this kind of request';
      errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, detail));
    }
    if (spec.resourceAttributes !== undefined && spec.resourceAttributes.namespace !== namespace) {
      const detail = 'must match metadata.namespace';
      errors.push(invalid('spec.resourceAttributes.namespace', spec.resourceAttributes.namespace, detail));
    }
    return errors;
  },
});
