/**
 * What a namespace that is being deleted says of its content.
 *
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace
 */
import type { Namespace, NamespaceCondition, NamespaceStatus } from '../../apis/core/namespace.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';

/** What was found after everything was told to go. */
export interface Remains {
  readonly kind: Kind;
  readonly objects: readonly KubeObject[];
}

interface Draft {
  readonly type: string;
  readonly bad: boolean;
  readonly reasons: readonly [good: string, bad: string];
  readonly messages: readonly [good: string, bad: string];
}

const resourceOf = (kind: Kind) => (kind.group === '' ? `${kind.plural}.` : `${kind.plural}.${kind.group}`);

/** How far the deletion has come. */
export interface Progress {
  readonly remains: readonly Remains[];
  /** why content could not be deleted */
  readonly failure: Error | undefined;
  /** why it is not known what content there is */
  readonly unknown: Error | undefined;
}

/** The status to write; undefined where it says so already. */
export function statusOf(
  namespace: Namespace,
  { remains, failure, unknown }: Progress,
  now: number,
): NamespaceStatus | undefined {
  const left = remains.filter((r) => r.objects.length > 0);
  const finalizers = countFinalizers(left);
  const drafts: readonly Draft[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      bad: unknown !== undefined,
      reasons: ['ResourcesDiscovered', 'DiscoveryFailed'],
      messages: [
        'All resources successfully discovered',
        `Discovery failed for some groups, ${unknown?.message ?? ''}`,
      ],
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      bad: false,
      reasons: ['ParsedGroupVersions', 'GroupVersionParsingFailed'],
      messages: ['All legacy kube types successfully parsed', ''],
    },
    {
      type: 'NamespaceDeletionContentFailure',
      bad: failure !== undefined,
      reasons: ['ContentDeleted', 'ContentDeletionFailed'],
      messages: [
        'All content successfully deleted, may be waiting on finalization',
        `Failed to delete all resource types: ${failure?.message ?? ''}`,
      ],
    },
    {
      type: 'NamespaceContentRemaining',
      bad: left.length > 0,
      reasons: ['ContentRemoved', 'SomeResourcesRemain'],
      messages: [
        'All content successfully removed',
        `Some resources are remaining: ${left.map((r) => `${resourceOf(r.kind)} has ${r.objects.length} resource instances`).join(', ')}`,
      ],
    },
    {
      type: 'NamespaceFinalizersRemaining',
      bad: finalizers.size > 0,
      reasons: ['ContentHasNoFinalizers', 'SomeFinalizersRemain'],
      messages: [
        'All content-preserving finalizers finished',
        `Some content in the namespace has finalizers remaining: ${[...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).join(', ')}`,
      ],
    },
  ];
  const old = namespace.status?.conditions ?? [];
  const conditions = drafts.map((draft) => conditionOf(draft, old, now));
  const others = old.filter((c) => !drafts.some((d) => d.type === c.type));
  const same =
    namespace.status?.phase === 'Terminating' && conditions.every((c) => old.includes(c)) && conditions.length > 0;
  return same ? undefined : { ...namespace.status, phase: 'Terminating', conditions: [...others, ...conditions] };
}

/** The condition as it stands where it says the same. */
function conditionOf(draft: Draft, old: readonly NamespaceCondition[], now: number): NamespaceCondition {
  const at = draft.bad ? 1 : 0;
  const status = draft.bad ? 'True' : 'False';
  const [reason, message] = [draft.reasons[at] as string, draft.messages[at] as string];
  const known = old.find((c) => c.type === draft.type);
  if (known?.status === status && known.reason === reason && known.message === message) return known;
  const lastTransitionTime =
    known?.status === status && known.lastTransitionTime !== undefined ? known.lastTransitionTime : formatTime(now);
  return { type: draft.type, status, lastTransitionTime, reason, message };
}

function countFinalizers(remains: readonly Remains[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { objects } of remains) {
    for (const object of objects) {
      for (const name of object.metadata?.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** How long until the last of these pods must have stopped; undefined where there is none to wait for. */
export function longestGraceMs(remains: readonly Remains[]): number | undefined {
  let longest: number | undefined;
  for (const { objects } of remains) {
    for (const object of objects) {
      const grace = object.metadata?.deletionGracePeriodSeconds;
      if (grace !== undefined) longest = Math.max(longest ?? 0, grace * 1000);
    }
  }
  return longest;
}
