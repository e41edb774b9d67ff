/** Numbers that may be given as a percentage, e.g. maxSurge. */
import type { IntOrString } from './schema/types.ts';

const PERCENT = /^([0-9]+)%$/;

/** The whole number per cent of `25%`; undefined where it is not of that form. */
export function percentOf(value: IntOrString): number | undefined {
  const m = typeof value === 'string' ? PERCENT.exec(value) : null;
  return m === null ? undefined : Number(m[1]);
}

/** The number that is meant, of `total` where it is a percentage. NaN for what validation should have refused. */
export function scaledValue(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined) return Number.NaN;
  const scaled = (percent * total) / 100;
  return round === 'up' ? Math.ceil(scaled) : Math.floor(scaled);
}
