/** The patch that makes a status in the API into another, whatever was merged there before. Pure. */
import { PodStatus } from '../../apis/core/podStatus.ts';
import type { Field } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { isOwnCondition } from './podConditions.ts';

/** Fields whose lists a strategic merge would join with the old ones. */
const JOINED_LISTS = ['podIPs', 'hostIPs'] as const;
/** What may be in a condition of before and must not stay when the new one lacks it. */
const OPTIONAL_IN_CONDITION = { reason: null, message: null };

/**
 * A strategic merge patch of the status. Conditions of others are left alone.
 * @param before what the API has, as far as known
 */
export function statusPatch(before: PodStatus | undefined, status: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...status };
  for (const key of Object.keys(before ?? {})) if (!(key in status)) patch[key] = null;
  for (const key of JOINED_LISTS) {
    if (status[key] !== undefined) patch[key] = [{ $patch: 'replace' }, ...status[key]];
  }
  const own = (status.conditions ?? []).filter(isOwnCondition);
  const gone = (before?.conditions ?? []).filter((old) => isOwnCondition(old) && !own.some((c) => c.type === old.type));
  patch.conditions = [
    ...own.map((c) => ({ ...OPTIONAL_IN_CONDITION, ...c })),
    ...gone.map(({ type }) => ({ $patch: 'delete', type })),
  ];
  return patch;
}

/** Whether the API still has all that the kubelet said, whatever others have added. */
export function saysTheSame(said: PodStatus, api: PodStatus = {}): boolean {
  const { conditions = [], ...rest } = said;
  const fields: Readonly<Record<string, Field>> = PodStatus.fields;
  const there: Readonly<Record<string, unknown>> = { ...api };
  return (
    Object.entries(rest).every(([name, mine]) => {
      const field = fields[name];
      return field === undefined || semanticEqual(field.type, mine, there[name]);
    }) &&
    conditions.filter(isOwnCondition).every((mine) => {
      const found = api.conditions?.find((c) => c.type === mine.type);
      return found?.status === mine.status && found.reason === mine.reason && found.message === mine.message;
    })
  );
}

/**
 * What the kubelet said last, with what others have said since: their conditions, and the fields that
 * are not the kubelet's.
 */
export function mergeOfOthers(said: PodStatus, api: PodStatus | undefined): PodStatus {
  const { nominatedNodeName, resourceClaimStatuses } = api ?? {};
  const own = (said.conditions ?? []).filter(isOwnCondition);
  const others = (api?.conditions ?? []).filter((c) => !isOwnCondition(c) && !own.some((o) => o.type === c.type));
  return {
    ...said,
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    ...(resourceClaimStatuses === undefined ? {} : { resourceClaimStatuses }),
    conditions: [...own, ...others],
  };
}
