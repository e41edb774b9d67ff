/**
 * Questions about access: may this user, may I, what may I?
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
import type { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from '../../apis/authorization/access.ts';
import { localSubjectAccessReviews } from '../../apis/authorization/localSubjectAccessReview.ts';
import { selfSubjectAccessReviews } from '../../apis/authorization/selfSubjectAccessReview.ts';
import {
  type SelfSubjectRulesReview,
  type SubjectRulesReviewStatus,
  selfSubjectRulesReviews,
} from '../../apis/authorization/selfSubjectRulesReview.ts';
import { subjectAccessReviews } from '../../apis/authorization/subjectAccessReview.ts';
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { badRequest } from '../../machinery/status.ts';
import { NODE_RULES } from '../bootstrap/componentRoles.ts';
import { readReview, reviewed } from '../reviewBody.ts';
import { type Handler, handlerKey } from '../stage.ts';
import type { User } from '../user.ts';
import { type Attributes, type Authorizer, authorizeAll } from './authorizer.ts';
import type { RuleResolver } from './modes.ts';
import { nodeOf } from './node.ts';

type Spec = Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>;
interface AccessReview extends KubeObject {
  spec?: SubjectAccessReviewSpec;
  status?: SubjectAccessReviewStatus;
}

export function accessReviewHandlers(
  authorizers: readonly Authorizer[],
  resolvers: readonly RuleResolver[],
): [string, Handler][] {
  const answer = (kind: Kind, userOf: (spec: SubjectAccessReviewSpec, asking: User) => User): [string, Handler] => [
    handlerKey(kind.group, kind.plural),
    async (ctx) => {
      const review = (await readReview(ctx, kind)) as AccessReview;
      const spec = review.spec ?? {};
      review.status = decide(authorizers, userOf(spec, ctx.user), spec);
      return reviewed(review, kind);
    },
  ];
  const named = (spec: SubjectAccessReviewSpec): User => ({
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid ? { uid: spec.uid } : {}),
    ...(spec.extra ? { extra: spec.extra } : {}),
  });
  return [
    answer(subjectAccessReviews as unknown as Kind, named),
    answer(localSubjectAccessReviews as unknown as Kind, named),
    answer(selfSubjectAccessReviews as unknown as Kind, (_spec, asking) => asking),
    rulesReview(resolvers),
  ];
}

function decide(authorizers: readonly Authorizer[], user: User, spec: Spec): SubjectAccessReviewStatus {
  const { allowed, reason } = authorizeAll(authorizers, attributesOf(user, spec));
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function attributesOf(user: User, { resourceAttributes: r, nonResourceAttributes: path }: Spec): Attributes {
  return {
    user,
    verb: r?.verb ?? path?.verb ?? '',
    isResource: r !== undefined,
    group: r?.group ?? '',
    version: r?.version ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    namespace: r?.namespace ?? '',
    name: r?.name ?? '',
    path: path?.path ?? '',
    ...(r?.fieldSelector === undefined ? {} : { fieldSelector: selectorOf(r.fieldSelector) }),
  };
}

function selectorOf(selector: {
  rawSelector?: string;
  requirements?: { key: string; operator: string; values?: string[] }[];
}): string {
  if (selector.rawSelector !== undefined) return selector.rawSelector;
  return (selector.requirements ?? [])
    .filter((r) => r.operator === 'In' && r.values?.length === 1)
    .map((r) => `${r.key}=${r.values?.[0] ?? ''}`)
    .join(',');
}

function rulesReview(resolvers: readonly RuleResolver[]): [string, Handler] {
  const kind = selfSubjectRulesReviews as unknown as Kind;
  return [
    handlerKey(kind.group, kind.plural),
    async (ctx) => {
      const review = (await readReview(ctx, kind)) as SelfSubjectRulesReview;
      const namespace = review.spec?.namespace ?? '';
      if (namespace === '') throw badRequest('no namespace on request');
      return reviewed({ ...review, status: rulesStatus(resolvers, ctx.user, namespace) } as KubeObject, kind);
    },
  ];
}

function rulesStatus(resolvers: readonly RuleResolver[], user: User, namespace: string): SubjectRulesReviewStatus {
  // What depends on a node's pods is no rule that could be listed.
  const isNode = nodeOf(user) !== undefined;
  const rules: readonly PolicyRule[] = [
    ...resolvers.flatMap((r) => r.rulesFor(user, namespace)),
    ...(isNode ? NODE_RULES : []),
  ];
  return {
    resourceRules: rules
      .filter((r) => (r.resources ?? []).length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups: apiGroups ?? [],
        resources: resources ?? [],
        ...(resourceNames?.length ? { resourceNames } : {}),
      })),
    nonResourceRules: rules
      .filter((r) => (r.nonResourceURLs ?? []).length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs: nonResourceURLs ?? [] })),
    incomplete: isNode,
    ...(isNode ? { evaluationError: 'node authorizer does not support user rule resolution' } : {}),
  };
}
