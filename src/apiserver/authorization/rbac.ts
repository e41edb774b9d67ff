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
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { ruleAllows } from './rules.ts';

/** What both kinds of binding have. */
interface Binding extends KubeObject {
  subjects?: Subject[];
  roleRef: RoleRef;
}

const NO_RULES: readonly PolicyRule[] = [];
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

const ALLOWED: Decision = { allowed: true, reason: '' };

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
  authorize(a: Attributes): Decision | undefined {
    for (const rules of this.#grants(a.user, a.namespace)) {
      for (const rule of rules) if (ruleAllows(rule, a)) return ALLOWED;
    }
    return undefined;
  }

  /** Every rule that holds for the user in the namespace, or in all of them where it is ''. */
  rulesFor(user: User, namespace: string): PolicyRule[] {
    return [...this.#grants(user, namespace)].flat();
  }

  /** The rules of the role that a binding names; undefined where it is not there. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role =
      ref.kind === 'ClusterRole'
        ? this.#clusterRoles.object(undefined, ref.name)
        : this.#roles.object(namespace, ref.name);
    return role === undefined ? undefined : (role.rules ?? NO_RULES);
  }

  *#grants(user: User, namespace: string): Generator<readonly PolicyRule[]> {
    for (const binding of this.#clusterBindings.of(user, '')) yield this.rulesOf(binding.roleRef, '') ?? NO_RULES;
    if (namespace === '') return;
    for (const binding of this.#bindings.of(user, namespace)) {
      yield this.rulesOf(binding.roleRef, namespace) ?? NO_RULES;
    }
  }
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
