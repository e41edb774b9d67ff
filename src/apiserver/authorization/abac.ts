/**
 * Attribute-based access control: policies in a file, one object of JSON in a line, read once at the start.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/abac/
 */
import { readFile } from 'node:fs/promises';
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { JsonSyntaxError, parseJson } from '../../machinery/schema/parseJson.ts';
import { bool, type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AUTHENTICATED_GROUP, type User } from '../user.ts';
import type { Attributes, Authorizer, Opinion } from './authorizer.ts';

const PolicySpec = object('io.k8s.abac.v1beta1.PolicySpec', () => ({
  user: opt(1, str),
  group: opt(2, str),
  readonly: opt(3, bool),
  apiGroup: opt(4, str),
  resource: opt(5, str),
  namespace: opt(6, str),
  nonResourcePath: opt(7, str),
}));
type PolicySpec = Infer<typeof PolicySpec>;

const Policy = object('io.k8s.abac.v1beta1.Policy', () => ({
  apiVersion: req(1, str),
  kind: req(2, str),
  spec: req(3, PolicySpec),
}));

const READ_VERBS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const ALLOWED: Opinion = { allowed: true, reason: '' };
const NO_MATCH: Opinion = { allowed: undefined, reason: 'No policy matched.' };

/** A policy file that cannot be followed; the message is one line for a person. */
export class AbacPolicyError extends Error {
  override readonly name = 'AbacPolicyError';
}

export class Abac implements Authorizer {
  readonly name = 'ABAC';
  readonly #policies: readonly PolicySpec[];

  /** @throws AbacPolicyError */
  static async open(file: string): Promise<Abac> {
    try {
      return new Abac(await readFile(file, 'utf8'));
    } catch (error) {
      throw new AbacPolicyError(`the authorization policy ${file}: ${(error as Error).message}`);
    }
  }

  /** @throws AbacPolicyError */
  constructor(text: string) {
    this.#policies = text.split('\n').flatMap((line, i) => {
      const trimmed = line.trim();
      return trimmed === '' || trimmed.startsWith('#') ? [] : [policyOf(trimmed, i + 1)];
    });
  }

  authorize(a: Attributes): Opinion {
    for (const policy of this.#policies) if (allows(policy, a)) return ALLOWED;
    return NO_MATCH;
  }

  rulesFor(user: User, namespace: string): PolicyRule[] {
    return this.#policies
      .filter((policy) => isSubject(policy, user) && fits(policy.namespace, namespace))
      .flatMap(({ readonly, apiGroup = '', resource, nonResourcePath }) => {
        const verbs = readonly === true ? [...READ_VERBS] : ['*'];
        return [
          ...(resource ? [{ verbs, apiGroups: [apiGroup], resources: [resource] }] : []),
          ...(nonResourcePath ? [{ verbs, nonResourceURLs: [nonResourcePath] }] : []),
        ];
      });
  }
}

function policyOf(line: string, number: number): PolicySpec {
  const fault = (text: string) => new AbacPolicyError(`line ${number}: ${text}`);
  let value: unknown;
  try {
    value = parseJson(line).value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw fault(error.message);
    throw error;
  }
  const { apiVersion, kind } = (value ?? {}) as Record<string, unknown>;
  if (apiVersion !== 'abac.authorization.kubernetes.io/v1beta1' || kind !== 'Policy') {
    throw fault('it must have the apiVersion abac.authorization.kubernetes.io/v1beta1 and the kind Policy');
  }
  const { value: policy, errors, unknown } = decode<Infer<typeof Policy>>(Policy, value);
  const [error] = errors;
  if (error !== undefined) throw fault(`${error.path}: ${error.message}`);
  if (unknown[0] !== undefined) throw fault(`unknown field ${JSON.stringify(unknown[0])}`);
  const spec: PolicySpec = policy.spec ?? {};
  if (spec.user !== '*' && spec.group !== '*') return spec;
  // A star stands for whoever is known, not for everybody.
  const { user: _user, ...rest } = spec;
  return { ...rest, group: AUTHENTICATED_GROUP };
}

const fits = (wanted: string | undefined, value: string) => wanted === '*' || (wanted ?? '') === value;

function allows(policy: PolicySpec, a: Attributes): boolean {
  if (!isSubject(policy, a.user)) return false;
  if (policy.readonly === true && !READ_VERBS.has(a.verb)) return false;
  if (a.isResource) {
    return fits(policy.namespace, a.namespace) && fits(policy.resource, a.resource) && fits(policy.apiGroup, a.group);
  }
  const path = policy.nonResourcePath ?? '';
  return fits(path, a.path) || (path.endsWith('*') && a.path.startsWith(path.slice(0, -1)));
}

/** Whom a policy names, by user, group or both; without either it is for nobody. */
function isSubject({ user = '', group = '' }: PolicySpec, asking: User): boolean {
  if (user === '' && group === '') return false;
  return (user === '' || user === asking.name) && (group === '' || asking.groups.includes(group));
}
