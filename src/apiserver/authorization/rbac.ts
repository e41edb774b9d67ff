/**
 * Role-based access control. Bindings are indexed by subject from the watch caches, so a decision is
 * synchronous and costs a few microseconds.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import { type ClusterRole, clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../apis/rbac/clusterRoleBinding.ts';
import { type Role, roles } from '../../apis/rbac/role.ts';
import { roleBindings } from '../../apis/rbac/roleBinding.ts';
import type { PolicyRule, RoleRef, Subject } from '../../apis/rbac/rules.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { User } from '../user.ts';
import type { Attributes, Authorizer, Decision, Opinion } from './authorizer.ts';
import { ruleAllows } from './rules.ts';

/** What both kinds of binding have. */
interface Binding extends KubeObject {
  subjects?: Subject[];
  roleRef: RoleRef;
}

const NO_RULES: readonly PolicyRule[] = [];
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

/** A role that a binding gives to the user: its rules, or nothing where it is not there. */
interface Grant {
  readonly binding: Stored<Binding>;
  readonly rules: readonly PolicyRule[] | undefined;
}

/** The reason is put together when somebody asks for it: few do. */
class AllowedBy implements Decision {
  readonly allowed = true;
  readonly #binding: Stored<Binding>;
  readonly #user: User;

  constructor(binding: Stored<Binding>, user: User) {
    this.#binding = binding;
    this.#user = user;
  }

  get reason(): string {
    const { metadata, roleRef, subjects = [] } = this.#binding;
    const { name, namespace } = metadata;
    const which = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
    const shown = JSON.stringify(namespace === undefined ? name : `${name}/${namespace}`);
    const subject = subjects.find((s) => isSubject(s, namespace ?? '', this.#user));
    const to = subject === undefined ? '' : ` to ${describeSubject(subject, namespace ?? '')}`;
    return `RBAC: allowed by ${which} ${shown} of ${roleRef.kind} ${JSON.stringify(roleRef.name)}${to}`;
  }
}

function isSubject(subject: Subject, namespace: string, user: User): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    default:
      return user.name === `${SERVICE_ACCOUNT_PREFIX}${subject.namespace || namespace}:${subject.name}`;
  }
}

function describeSubject({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  return `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${namespace || bindingNamespace}` : name)}`;
}

export class Rbac implements Authorizer {
  readonly name = 'RBAC';
  readonly #roles: WatchCache<Role>;
  readonly #clusterRoles: WatchCache<ClusterRole>;
  readonly #clusterBindings: BindingIndex;
  readonly #bindings: BindingIndex;

  constructor(registry: Registry) {
    this.#roles = registry.cache(roles);
    this.#clusterRoles = registry.cache(clusterRoles);
    this.#clusterBindings = new BindingIndex(registry.cache(clusterRoleBindings) as unknown as WatchCache<Binding>);
    this.#bindings = new BindingIndex(registry.cache(roleBindings) as unknown as WatchCache<Binding>);
  }

  /** Fills the caches that decisions are made from. */
  async start(): Promise<void> {
    await Promise.all([
      this.#roles.start(),
      this.#clusterRoles.start(),
      this.#clusterBindings.start(),
      this.#bindings.start(),
    ]);
  }

  stop(): void {
    this.#clusterBindings.stop();
    this.#bindings.stop();
  }

  /** Hot path: once for every request of a user that is no cluster administrator. */
  authorize(a: Attributes): Opinion | undefined {
    let missing: RoleRef[] | undefined;
    for (const { binding, rules } of this.#grants(a.user, a.namespace)) {
      if (rules === undefined) {
        missing ??= [];
        missing.push(binding.roleRef);
        continue;
      }
      for (const rule of rules) if (ruleAllows(rule, a)) return new AllowedBy(binding, a.user);
    }
    return missing === undefined ? undefined : { allowed: undefined, reason: reasonOfMissing(missing) };
  }

  /** Every rule that holds for the user in the namespace, or in all of them where it is ''. */
  rulesFor(user: User, namespace: string): PolicyRule[] {
    return [...this.#grants(user, namespace)].flatMap(({ rules }) => rules ?? NO_RULES);
  }

  /** The rules of the role that a binding names; undefined where it is not there. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role =
      ref.kind === 'ClusterRole'
        ? this.#clusterRoles.object(undefined, ref.name)
        : this.#roles.object(namespace, ref.name);
    return role === undefined ? undefined : (role.rules ?? NO_RULES);
  }

  *#grants(user: User, namespace: string): Generator<Grant> {
    for (const binding of this.#clusterBindings.of(user, '')) {
      yield { binding, rules: this.rulesOf(binding.roleRef, '') };
    }
    if (namespace === '') return;
    for (const binding of this.#bindings.of(user, namespace)) {
      yield { binding, rules: this.rulesOf(binding.roleRef, namespace) };
    }
  }
}

/** What a binding names and is not there grants nothing, and whoever wonders is told. */
function reasonOfMissing(refs: readonly RoleRef[]): string {
  const texts = refs.map(
    ({ kind, name }) => `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`,
  );
  return `RBAC: ${texts.length === 1 ? texts[0] : `[${[...new Set(texts)].join(', ')}]`}`;
}

/** Bindings by subject and namespace. */
class BindingIndex {
  readonly #cache: WatchCache<Binding>;
  /** `namespace` NUL `U:name` or `G:group`, to bindings by their key */
  readonly #bySubject = new Map<string, Map<string, Stored<Binding>>>();
  #unlisten: (() => void) | undefined;
  #listening = false;
  #stopped = false;

  constructor(cache: WatchCache<Binding>) {
    this.#cache = cache;
  }

  async start(): Promise<void> {
    await this.#cache.start();
    if (this.#stopped || this.#listening) return;
    this.#listening = true;
    this.#bySubject.clear();
    for (const binding of this.#cache.objects()) this.#add(binding);
    this.#unlisten = this.#cache.listen({
      onEvent: ({ type, entry, previous }) => {
        if (previous !== undefined) this.#remove(previous.object as Stored<Binding>);
        if (type !== 'DELETED') this.#add(entry.object as Stored<Binding>);
      },
      // The index stays as it was until the cache is filled again, which the next decision asks for.
      onEnd: () => {
        this.#listening = false;
      },
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unlisten?.();
  }

  *of(user: User, namespace: string): Generator<Stored<Binding>> {
    if (!this.#listening && !this.#stopped) void this.start().catch(() => {});
    const own = this.#bySubject.get(`${namespace}\0U:${user.name}`);
    if (own !== undefined) yield* own.values();
    for (const group of user.groups) {
      const bindings = this.#bySubject.get(`${namespace}\0G:${group}`);
      if (bindings !== undefined) yield* bindings.values();
    }
  }

  #add(binding: Stored<Binding>): void {
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, binding.metadata.namespace ?? '');
      if (key === undefined) continue;
      let bindings = this.#bySubject.get(key);
      if (bindings === undefined) {
        bindings = new Map();
        this.#bySubject.set(key, bindings);
      }
      bindings.set(binding.metadata.name, binding);
    }
  }

  #remove(binding: Stored<Binding>): void {
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, binding.metadata.namespace ?? '');
      const bindings = key === undefined ? undefined : this.#bySubject.get(key);
      if (key === undefined || bindings === undefined) continue;
      bindings.delete(binding.metadata.name);
      if (bindings.size === 0) this.#bySubject.delete(key);
    }
  }
}

function subjectKey(subject: Subject, namespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `${namespace}\0U:${subject.name}`;
    case 'Group':
      return `${namespace}\0G:${subject.name}`;
    case 'ServiceAccount': {
      const of = subject.namespace || namespace;
      return of === '' ? undefined : `${namespace}\0U:${SERVICE_ACCOUNT_PREFIX}${of}:${subject.name}`;
    }
    default:
      return undefined;
  }
}
