/** What the standards look at: a pod, or what pods are made from. */
import type { Container, EphemeralContainer } from '../../../apis/core/container.ts';
import type { PodSpec } from '../../../apis/core/podSpec.ts';

export type AnyContainer = Container | EphemeralContainer;

export interface Judged {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  /** those that run before, those that run, those that are added for debugging */
  readonly containers: readonly AnyContainer[];
}

export function judged(spec: PodSpec, annotations: Readonly<Record<string, string>> = {}): Judged {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  return { annotations, spec, containers };
}

/** `container "a"`, `containers "a", "b"` */
export function named(word: string, names: readonly string[]): string {
  return `${word}${names.length === 1 ? '' : 's'} ${quoted(names)}`;
}

export function quoted(names: Iterable<string>): string {
  return [...names].map((name) => JSON.stringify(name)).join(', ');
}
