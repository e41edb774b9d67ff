/** A pod by a standard: everything that the standard forbids. */
import { BASELINE, type Check } from './baseline.ts';
import type { Standard } from './level.ts';
import type { Judged } from './pod.ts';
import { RESTRICTED } from './restricted.ts';

/** @returns what is forbidden, for people; empty where nothing is */
export function violations(pod: Judged, { level, minor = Number.POSITIVE_INFINITY }: Standard): string[] {
  return checksOf(level, minor)
    .map((check) => check.find(pod, minor))
    .filter((found) => found !== undefined);
}

function checksOf(level: Standard['level'], minor: number): Check[] {
  if (level === 'privileged') return [];
  const baseline = BASELINE.filter(({ since }) => minor >= since);
  if (level === 'baseline') return baseline;
  const restricted = RESTRICTED.filter(({ since }) => minor >= since);
  const replaced = new Set(restricted.map(({ instead }) => instead));
  return [...baseline.filter(({ name }) => !replaced.has(name)), ...restricted];
}
