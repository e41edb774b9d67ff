/**
 * Admission: what may change or refuse a write after it was authorized and before it is stored.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import type { RequestContext } from '../context.ts';
import type { User } from '../user.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest<T extends KubeObject = KubeObject> {
  readonly operation: Operation;
  /** as it is stored */
  readonly kind: Kind;
  /** the version of the request, where that is another one */
  readonly asked?: Kind;
  readonly subresource: string;
  readonly namespace: string | undefined;
  /** where the server makes it up: for `mutate` what it is to begin with */
  readonly name: string;
  /** whether the client left the name to the server */
  readonly generated?: boolean;
  /** may be changed by `mutate`; undefined for a DELETE; the options for a CONNECT */
  readonly object: T | undefined;
  /** frozen; undefined for a CREATE */
  readonly oldObject: T | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  /** the request itself: its query, and who is told of warnings */
  readonly ctx?: RequestContext;
}

export interface AdmissionPlugin {
  /** as the Kubernetes documentation names it */
  readonly name: string;
  /** The kinds that it wants to see, `group/resource`; absent: all. */
  readonly resources?: ReadonlySet<string>;
  /** May change the object. @throws ApiError to refuse. Waits only where it must. */
  mutate?(request: AdmissionRequest): void | Promise<void>;
  /** Sees the object as it would be stored. @throws ApiError to refuse. */
  validate?(request: AdmissionRequest): void | Promise<void>;
  /** The write was not stored after all: lets go of what `mutate` reserved for it. */
  undo?(request: AdmissionRequest): void;
}

type Phase = 'mutate' | 'validate';

/** By all plugins that there are and by kind: those that want to see it, so that no write asks each of them. */
const interested = new WeakMap<readonly AdmissionPlugin[], WeakMap<Kind, Record<Phase, readonly AdmissionPlugin[]>>>();

function pluginsOf(plugins: readonly AdmissionPlugin[], kind: Kind): Record<Phase, readonly AdmissionPlugin[]> {
  let byKind = interested.get(plugins);
  if (byKind === undefined) {
    byKind = new WeakMap();
    interested.set(plugins, byKind);
  }
  let found = byKind.get(kind);
  if (found === undefined) {
    const wanted = plugins.filter(({ resources }) => resources?.has(`${kind.group}/${kind.plural}`) ?? true);
    found = {
      mutate: wanted.filter((plugin) => plugin.mutate !== undefined),
      validate: wanted.filter((plugin) => plugin.validate !== undefined),
    };
    byKind.set(kind, found);
  }
  return found;
}

/** Runs one phase of all plugins. Undefined, not a promise, where none had to wait. */
export function admit(
  plugins: readonly AdmissionPlugin[],
  phase: Phase,
  request: AdmissionRequest,
): Promise<void> | undefined {
  return run(pluginsOf(plugins, request.kind)[phase], phase, request, 0);
}

function run(
  plugins: readonly AdmissionPlugin[],
  phase: Phase,
  request: AdmissionRequest,
  from: number,
): Promise<void> | undefined {
  for (let i = from; i < plugins.length; i++) {
    const waiting = plugins[i]?.[phase]?.(request);
    if (waiting instanceof Promise) return waiting.then(() => run(plugins, phase, request, i + 1));
  }
  return undefined;
}
