/**
 * `authorizer` in expressions: whether somebody may do something, as they are now authorized.
 * Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-authorizer-library
 */
import { method, type Overload } from '../../../machinery/cel/overload.ts';
import { BOOL, type CelType, objectType, opaque, STRING } from '../../../machinery/cel/types.ts';
import { ObjectValue, OpaqueValue } from '../../../machinery/cel/value.ts';
import { type Attributes, type Authorizer, authorizeAll } from '../../authorization/authorizer.ts';
import { authenticated, type User } from '../../user.ts';

const PATH = opaque('kubernetes.authorization.PathCheck');
const GROUP = opaque('kubernetes.authorization.GroupCheck');
const RESOURCE = opaque('kubernetes.authorization.ResourceCheck');
const DECISION = opaque('kubernetes.authorization.Decision');
export const AUTHORIZER = objectType('kubernetes.authorization.Authorizer', { requestResource: RESOURCE });

/** A question that is being put together. */
class Check extends OpaqueValue {
  override readonly type: string;
  readonly authorizers: readonly Authorizer[];
  readonly attributes: Attributes;

  constructor(type: CelType, authorizers: readonly Authorizer[], attributes: Attributes) {
    super();
    this.type = 'name' in type ? type.name : '';
    this.authorizers = authorizers;
    this.attributes = attributes;
  }
  with(type: CelType, more: Partial<Attributes>): Check {
    return new Check(type, this.authorizers, { ...this.attributes, ...more });
  }
  override equals(other: OpaqueValue): boolean {
    return this === other;
  }
  override toJson(): unknown {
    return null;
  }
}

class Decision extends OpaqueValue {
  override readonly type = 'kubernetes.authorization.Decision';
  readonly allowed: boolean;
  readonly reason: string;

  constructor(allowed: boolean, reason: string) {
    super();
    this.allowed = allowed;
    this.reason = reason;
  }
  override equals(other: OpaqueValue): boolean {
    return this === other;
  }
  override toJson(): unknown {
    return null;
  }
}

const NOTHING: Omit<Attributes, 'user'> = {
  verb: '',
  isResource: true,
  group: '',
  version: '*',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
};

/** The variable `authorizer` for a user, with what the request itself is for. */
export function authorizerValue(
  authorizers: readonly Authorizer[],
  user: User,
  requested: Partial<Attributes>,
): ObjectValue {
  const attributes = { ...NOTHING, user };
  return new ObjectValue(AUTHORIZER, {
    root: new Check(PATH, authorizers, attributes),
    requestResource: new Check(RESOURCE, authorizers, { ...attributes, ...requested }),
  });
}

const root = (value: ObjectValue) => value.json.root as Check;

const check = (question: Check, verb: string) => {
  const { allowed, reason } = authorizeAll(question.authorizers, { ...question.attributes, verb });
  return new Decision(allowed, reason);
};

export const authorizerOverloads: readonly Overload[] = [
  method('path', [AUTHORIZER, STRING], PATH, (a: ObjectValue, path: string) =>
    root(a).with(PATH, { isResource: false, path }),
  ),
  method('group', [AUTHORIZER, STRING], GROUP, (a: ObjectValue, group: string) => root(a).with(GROUP, { group })),
  method(
    'serviceAccount',
    [AUTHORIZER, STRING, STRING],
    AUTHORIZER,
    (a: ObjectValue, namespace: string, name: string) => {
      const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
      const user = authenticated({ name: `system:serviceaccount:${namespace}:${name}`, groups });
      return authorizerValue(
        root(a).authorizers,
        user,
        (a.json.requestResource as Check).with(RESOURCE, { user }).attributes,
      );
    },
  ),
  method('resource', [GROUP, STRING], RESOURCE, (g: Check, resource: string) => g.with(RESOURCE, { resource })),
  method('subresource', [RESOURCE, STRING], RESOURCE, (r: Check, subresource: string) =>
    r.with(RESOURCE, { subresource }),
  ),
  method('namespace', [RESOURCE, STRING], RESOURCE, (r: Check, namespace: string) => r.with(RESOURCE, { namespace })),
  method('name', [RESOURCE, STRING], RESOURCE, (r: Check, name: string) => r.with(RESOURCE, { name })),
  method('check', [RESOURCE, STRING], DECISION, check),
  method('check', [PATH, STRING], DECISION, check),
  method('allowed', [DECISION], BOOL, (d: Decision) => d.allowed),
  method('reason', [DECISION], STRING, (d: Decision) => d.reason),
  method('errored', [DECISION], BOOL, () => false),
  method('error', [DECISION], STRING, () => ''),
];
