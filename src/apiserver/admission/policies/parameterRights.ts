/**
 * What a policy takes as its parameter its author must be allowed to read: expressions may tell of it.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
 */
import type { ParamKind, ParamRef } from '../../../apis/admissionregistration/match.ts';
import { mutatingAdmissionPolicies } from '../../../apis/admissionregistration/mutatingAdmissionPolicy.ts';
import { validatingAdmissionPolicies } from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import { forbidden } from '../../../machinery/fieldError.ts';
import { jsonEqual } from '../../../machinery/jsonEqual.ts';
import type { Kind, KubeObject } from '../../../machinery/kind.ts';
import { invalidObject } from '../../../machinery/status.ts';
import { type Authorizer, authorizeAll } from '../../authorization/authorizer.ts';
import type { Registry } from '../../registry/registry.ts';
import { MASTERS_GROUP } from '../../user.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts';

const GROUP = 'admissionregistration.k8s.io';

interface AnyPolicy extends KubeObject {
  spec?: { paramKind?: ParamKind };
}

interface AnyBinding extends KubeObject {
  spec?: { policyName?: string; paramRef?: ParamRef };
}

/** The kinds of policies, by those of their bindings. */
const POLICIES: Readonly<Record<string, Kind>> = {
  validatingadmissionpolicybindings: validatingAdmissionPolicies as unknown as Kind,
  mutatingadmissionpolicybindings: mutatingAdmissionPolicies as unknown as Kind,
};

export function parameterRights(registry: Registry, authorizers: readonly Authorizer[]): AdmissionPlugin {
  const mayGet = ({ user }: AdmissionRequest, kind: ParamKind | undefined, namespace: string, name: string) => {
    const { apiVersion = '', kind: named = '' } = kind ?? {};
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    // What is not known could be anything.
    const resource = registry.kinds.byKind(apiVersion, named)?.plural ?? '*';
    return authorizeAll(authorizers, {
      user,
      verb: 'get',
      isResource: true,
      group: kind === undefined ? '*' : group,
      version: kind === undefined ? '*' : version,
      resource,
      subresource: '',
      namespace,
      name,
      path: '',
    }).allowed;
  };
  const refuse = (request: AdmissionRequest, field: string, why: string) => {
    const user = `user ${JSON.stringify(request.user.name)}`;
    throw invalidObject(request.kind, request.name, [forbidden(field, `${user} ${why}`)]);
  };
  const checkBinding = (request: AdmissionRequest, policies: Kind): void | Promise<void> => {
    const { policyName = '', paramRef } = (request.object as AnyBinding).spec ?? {};
    const old = (request.oldObject as AnyBinding | undefined)?.spec;
    if (paramRef === undefined || (old?.policyName === policyName && jsonEqual(old.paramRef, paramRef))) return;
    const cache = registry.cache(policies);
    const check = () => {
      const policy = cache.object(undefined, policyName) as AnyPolicy | undefined;
      if (mayGet(request, policy?.spec?.paramKind, paramRef.namespace ?? '', paramRef.name ?? '')) return;
      refuse(request, 'spec.paramRef', 'does not have "get" permission on the object referenced by paramRef');
    };
    const fresh = cache.freshen();
    return fresh === undefined ? check() : fresh.then(check);
  };
  return {
    name: 'PolicyParameterRights',
    resources: new Set(
      Object.entries(POLICIES).flatMap(([bindings, policies]) => [
        `${GROUP}/${bindings}`,
        `${GROUP}/${policies.plural}`,
      ]),
    ),
    validate(request) {
      if (request.object === undefined || request.subresource !== '') return;
      if (request.user.groups.includes(MASTERS_GROUP)) return;
      const policies = POLICIES[request.kind.plural];
      if (policies !== undefined) return checkBinding(request, policies);
      const kind = (request.object as AnyPolicy).spec?.paramKind;
      const old = (request.oldObject as AnyPolicy | undefined)?.spec?.paramKind;
      if (kind === undefined || jsonEqual(kind, old) || mayGet(request, kind, '*', '*')) return;
      refuse(
        request,
        'spec.paramKind',
        `must have "get" permission on all objects of the referenced paramKind (kind=${kind.kind}, apiVersion=${kind.apiVersion})`,
      );
    },
  };
}
