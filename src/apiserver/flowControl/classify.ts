/** Which requests a flow schema is for. */
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../apis/flowcontrol/flowSchema.ts';
import type { RequestInfo } from '../context.ts';
import type { User } from '../user.ts';

const ALL = '*';
const SERVICE_ACCOUNT = 'system:serviceaccount:';

export function schemaMatches(rules: readonly PolicyRulesWithSubjects[], user: User, info: RequestInfo): boolean {
  return rules.some(
    ({ subjects, resourceRules, nonResourceRules }) =>
      subjects.some((subject) => subjectMatches(subject, user)) &&
      (info.isResource
        ? (resourceRules ?? []).some((rule) => resourceMatches(rule, info))
        : (nonResourceRules ?? []).some((rule) => pathMatches(rule, info))),
  );
}

function subjectMatches({ kind, user: named, group, serviceAccount }: Subject, user: User): boolean {
  switch (kind) {
    case 'User':
      return named !== undefined && (named.name === ALL || named.name === user.name);
    case 'Group':
      return group !== undefined && (group.name === ALL || user.groups.includes(group.name));
    case 'ServiceAccount': {
      if (serviceAccount === undefined) return false;
      const prefix = `${SERVICE_ACCOUNT}${serviceAccount.namespace}:`;
      return serviceAccount.name === ALL ? user.name.startsWith(prefix) : user.name === prefix + serviceAccount.name;
    }
    default:
      return false;
  }
}

function resourceMatches(rule: ResourcePolicyRule, info: RequestInfo): boolean {
  if (!has(rule.verbs, info.verb) || !has(rule.apiGroups, info.group)) return false;
  if (!has(rule.resources, info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`))
    return false;
  // A namespace itself is in the namespace of its name.
  const namespace = info.namespace ?? (info.resource === 'namespaces' && info.group === '' ? info.name : '');
  return namespace === '' ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace);
}

function pathMatches(rule: NonResourcePolicyRule, info: RequestInfo): boolean {
  if (!has(rule.verbs, info.verb)) return false;
  return rule.nonResourceURLs.some((url) => {
    if (url === ALL || url === info.path) return true;
    const prefix = url.endsWith(ALL) ? url.slice(0, -1) : url;
    return info.path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  });
}

const has = (list: readonly string[], value: string) => list.includes(value) || list.includes(ALL);
