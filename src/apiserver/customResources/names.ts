/**
 * Which names a definition gets: those that no other kind of its group has.
 * Source: the conditions NamesAccepted and Established of CustomResourceDefinitions.
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from '../../apis/apiextensions/customResourceDefinition.ts';
import { formatTime } from '../../machinery/time.ts';

/** The names that a group has, but for those of one definition. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export interface Decision {
  readonly names: CustomResourceDefinitionNames;
  readonly accepted: { readonly ok: boolean; readonly reason: string; readonly message: string };
  /** what is asked for is what it has: it can be served */
  readonly established: boolean;
}

/** A name that is taken leaves the one that was accepted before. */
export function decideNames(crd: CustomResourceDefinition, taken: TakenNames): Decision {
  const wanted = crd.spec.names;
  const before: Partial<CustomResourceDefinitionNames> = crd.status?.acceptedNames ?? {};
  const names: CustomResourceDefinitionNames = { plural: before.plural ?? '', kind: before.kind ?? '' };
  let conflict: Decision['accepted'] | undefined;
  const take = (
    set: ReadonlySet<string>,
    value: string | undefined,
    reason: string,
    accept: (free: string) => void,
  ) => {
    if (value === undefined || value === '') return;
    if (!set.has(value)) accept(value);
    else conflict ??= { ok: false, reason, message: `${JSON.stringify(value)} is already in use` };
  };
  names.singular = before.singular ?? '';
  names.listKind = before.listKind ?? '';
  take(taken.resources, wanted.plural, 'PluralConflict', (free) => {
    names.plural = free;
  });
  take(taken.resources, wanted.singular, 'SingularConflict', (free) => {
    names.singular = free;
  });
  const shortNames = wanted.shortNames ?? [];
  const takenShort = shortNames.filter((name) => taken.resources.has(name));
  if (takenShort.length === 0) {
    if (shortNames.length > 0) names.shortNames = [...shortNames];
  } else {
    if (before.shortNames !== undefined) names.shortNames = [...before.shortNames];
    conflict ??= {
      ok: false,
      reason: 'ShortNamesConflict',
      message: `${JSON.stringify(takenShort[0])} is already in use`,
    };
  }
  take(taken.kinds, wanted.kind, 'KindConflict', (free) => {
    names.kind = free;
  });
  take(taken.kinds, wanted.listKind, 'ListKindConflict', (free) => {
    names.listKind = free;
  });
  if (wanted.categories !== undefined) names.categories = [...wanted.categories];
  const accepted = conflict ?? { ok: true, reason: 'NoConflicts', message: 'no conflicts found' };
  return { names, accepted, established: conflict === undefined || wasEstablished(crd) };
}

const wasEstablished = (crd: CustomResourceDefinition) =>
  (crd.status?.conditions ?? []).some((c) => c.type === 'Established' && c.status === 'True');

/** The status that says so; undefined where it says so already. */
export function statusFor(
  crd: CustomResourceDefinition,
  decision: Decision,
  now: number,
): CustomResourceDefinition['status'] | undefined {
  const { accepted, established, names } = decision;
  const conditions = [...(crd.status?.conditions ?? [])];
  let changed = JSON.stringify(sorted(crd.status?.acceptedNames ?? {})) !== JSON.stringify(sorted(names));
  const set = (type: string, ok: boolean, reason: string, message: string) => {
    const at = conditions.findIndex((c) => c.type === type);
    const old = conditions[at];
    const status = ok ? 'True' : 'False';
    if (old?.status === status && old.reason === reason && old.message === message) return;
    changed = true;
    const lastTransitionTime =
      old?.status === status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now);
    const next: CustomResourceDefinitionCondition = { type, status, reason, message, lastTransitionTime };
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
  };
  set('NamesAccepted', accepted.ok, accepted.reason, accepted.message);
  if (established) set('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted');
  else set('Established', false, 'NotAccepted', 'not all names are accepted');
  if (!changed) return undefined;
  return { ...crd.status, storedVersions: [...(crd.status?.storedVersions ?? [])], acceptedNames: names, conditions };
}

/** The status of a definition that waits for its objects to go; undefined where it says so already. */
export function terminating(
  crd: CustomResourceDefinition,
  now: number,
): CustomResourceDefinition['status'] | undefined {
  const conditions = crd.status?.conditions ?? [];
  if (conditions.some((c) => c.type === 'Terminating' && c.status === 'True')) return undefined;
  const condition: CustomResourceDefinitionCondition = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
    lastTransitionTime: formatTime(now),
  };
  const others = conditions.filter((c) => c.type !== 'Terminating');
  return { ...crd.status, conditions: [...others, condition] } as CustomResourceDefinition['status'];
}

const sorted = (names: object) =>
  Object.entries(names)
    .filter(([, value]) => value !== '' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
