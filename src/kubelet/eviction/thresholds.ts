/**
 * The thresholds at which a node is short of something.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#eviction-thresholds
 */
import { parseDuration } from '../../lib/duration.ts';
import { parseQuantity, wholeValue } from '../../machinery/quantity.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';

/** What is measured, and what a pod uses of it. */
export const SIGNALS = {
  'memory.available': { condition: 'MemoryPressure', resource: 'memory' },
  'nodefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'nodefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'imagefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'imagefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'pid.available': { condition: 'PIDPressure', resource: 'pids' },
} as const;

export type Signal = keyof typeof SIGNALS;
export type PressureCondition = (typeof SIGNALS)[Signal]['condition'];

/** An amount, or a share of all that there is. */
export type ThresholdValue = { readonly amount: number } | { readonly share: number };

export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** for how long it must be passed before pods go; 0: a hard one */
  readonly graceMs: number;
  readonly hard: boolean;
  /** how much more is freed once it was passed */
  readonly reclaim?: ThresholdValue;
}

type Told = Pick<
  KubeletConfiguration,
  'evictionHard' | 'evictionSoft' | 'evictionSoftGracePeriod' | 'evictionMinimumReclaim'
>;

/** @throws Error for what is no threshold */
export function thresholdsOf(told: Told): Threshold[] {
  const reclaims = new Map(valuesOf(told.evictionMinimumReclaim, 'evictionMinimumReclaim'));
  const hard = valuesOf(told.evictionHard, 'evictionHard').map(([signal, value]) => ({
    signal,
    value,
    graceMs: 0,
    hard: true,
  }));
  const soft = valuesOf(told.evictionSoft, 'evictionSoft').map(([signal, value]) => {
    const text = told.evictionSoftGracePeriod[signal];
    const graceMs = text === undefined ? undefined : parseDuration(text);
    if (graceMs === undefined || graceMs <= 0)
      throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`);
    return { signal, value, graceMs, hard: false };
  });
  return [...hard, ...soft]
    .filter(({ value }) => !isNever(value))
    .map((threshold) => {
      const reclaim = reclaims.get(threshold.signal);
      return reclaim === undefined ? threshold : { ...threshold, reclaim };
    });
}

/** A threshold of nothing, or of everything, is a way to say that there is none. */
const isNever = (value: ThresholdValue) => 'share' in value && (value.share <= 0 || value.share >= 1);

function valuesOf(texts: Readonly<Record<string, string>>, field: string): [Signal, ThresholdValue][] {
  return Object.entries(texts).map(([signal, text]) => {
    if (!Object.hasOwn(SIGNALS, signal)) throw new Error(`${field}: unsupported eviction signal ${signal}`);
    const value = thresholdValueOf(text);
    if (value === undefined) throw new Error(`${field}: ${JSON.stringify(text)} is no value for ${signal}`);
    return [signal as Signal, value];
  });
}

function thresholdValueOf(text: string): ThresholdValue | undefined {
  const percent = /^(\d{1,3}(?:\.\d{1,9})?)%$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent) <= 100 ? { share: Number(percent) / 100 } : undefined;
  const amount = parseQuantity(text) === undefined ? undefined : wholeValue(text);
  return amount === undefined || amount < 0 ? undefined : { amount };
}

/** How much that is of a capacity. */
export function amountOf(value: ThresholdValue, capacity: number): number {
  return 'amount' in value ? value.amount : value.share * capacity;
}
