/**
 * What an autoscaler does: first to decide how many replicas there are to be, then to tell how that went.
 * Both are pure: `controller.ts` observes, and acts in between.
 */

import {
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  type MetricStatus,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import type { Scale } from '../../apis/autoscaling/scale.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { quantityOf } from '../../machinery/quantity.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Measured, MetricFailure, type MetricProposal, proposalOf } from './metrics.ts';
import type { Tolerances } from './replicas.ts';
import type { AutoscalerSettings } from './settings.ts';
import { type Memory, stabilize, withChange } from './stabilize.ts';

/** Quantities are told in billionths. */
const NANO = 1e9;

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** One condition as it is now. */
interface Finding {
  readonly type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface Observation {
  readonly autoscaler: Stored<HorizontalPodAutoscaler>;
  readonly scale: Scale;
  /** that the target's selector selects */
  readonly pods: readonly Stored<Pod>[];
  /** one for each metric of the spec; a text: why nothing can be measured */
  readonly measured: readonly Measured[] | SelectorFault;
  readonly memory: Memory;
  /** ms since the epoch */
  readonly now: number;
  readonly settings: AutoscalerSettings;
}

/** What is wrong with the selector of a target. */
export interface SelectorFault {
  readonly event: PlannedEvent;
  readonly condition: Pick<Finding, 'reason' | 'message'>;
}

export interface Decision {
  /** undefined: nothing is to be changed */
  readonly rescale?: { readonly to: number; readonly reason: string };
  readonly findings: readonly Finding[];
  readonly events: readonly PlannedEvent[];
  /** absent where no metric was looked at */
  readonly metrics?: readonly MetricStatus[];
  /** It could not be told how many there are to be. */
  readonly failed: boolean;
  readonly memory: Memory;
}

/** Whether metrics have a say, as long as the target is as it is. */
export function asksMetrics({ spec }: HorizontalPodAutoscaler, scale: Scale): boolean {
  const current = scale.spec?.replicas ?? 0;
  const { minReplicas = 1, maxReplicas = 0 }: Partial<NonNullable<typeof spec>> = spec ?? {};
  return minReplicas <= current && current <= maxReplicas;
}

const GOT_SCALE: Finding = {
  type: 'AbleToScale',
  status: 'True',
  reason: 'SucceededGetScale',
  message: "the HPA controller was able to get the target's current scale",
};

export function decide(observation: Observation): Decision {
  const { autoscaler, scale, now } = observation;
  const { maxReplicas = 0, minReplicas = 1 }: Partial<NonNullable<typeof autoscaler.spec>> = autoscaler.spec ?? {};
  const current = scale.spec?.replicas ?? 0;
  const recommendations = [{ replicas: current, at: now }];
  const memory =
    observation.memory.recommendations.length > 0 ? observation.memory : { ...observation.memory, recommendations };
  const plain = { findings: [GOT_SCALE], events: [], failed: false, memory };
  // Who may be scaled down to nothing by metrics is scaled up again by them.
  if (current === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    const disabled: Finding = { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message };
    return { ...plain, findings: [GOT_SCALE, disabled] };
  }
  if (current > maxReplicas) {
    const reason = 'Current number of replicas above Spec.MaxReplicas';
    return { ...plain, rescale: { to: maxReplicas, reason } };
  }
  if (current < minReplicas) {
    const reason = 'Current number of replicas below Spec.MinReplicas';
    return { ...plain, rescale: { to: minReplicas, reason } };
  }
  return byMetrics({ ...observation, memory }, current, minReplicas, maxReplicas);
}

function byMetrics(observation: Observation, current: number, min: number, max: number): Decision {
  const { autoscaler, now, settings, measured } = observation;
  if (!Array.isArray(measured)) return unmeasured(observation, measured as SelectorFault);
  const { proposals, failures } = proposalsOf(observation, measured);
  // What cannot be told keeps its place: people are shown each target beside what is at its place.
  const metrics = proposals.map((p): MetricStatus => p?.status ?? { type: '' });
  const best = proposals.reduce<MetricProposal | undefined>(
    (most, p) => (p !== undefined && (most === undefined || p.replicas > most.replicas) ? p : most),
    undefined,
  );
  const events: PlannedEvent[] = failures.map(({ reason, message }) => ({ type: 'Warning', reason, message }));
  const [first] = failures;
  if (best === undefined || (first !== undefined && best.replicas < current)) {
    // What cannot be told may ask for more than what can: there is no way down.
    const message = first === undefined ? 'no metrics' : first.message;
    const found: Finding = {
      type: 'ScalingActive',
      status: 'False',
      reason: first?.reason ?? 'InvalidMetricSourceType',
      message: `the HPA was unable to compute the replica count: ${message}`,
    };
    const whole = `invalid metrics (${failures.length} invalid out of ${measured.length}), first error is: ${first?.whole ?? message}`;
    events.push({ type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: whole });
    return { findings: [GOT_SCALE, found], events, metrics, failed: true, memory: observation.memory };
  }
  const desired = best.replicas;
  const { behavior } = autoscaler.spec ?? {};
  const wish = { current, desired, min, max, now };
  const { replicas, able, limit, memory } = stabilize(
    wish,
    behavior,
    observation.memory,
    settings.downscaleStabilizationMs,
  );
  const { limited, ...told } = limit;
  const findings: Finding[] = [
    { type: 'AbleToScale', status: 'True', ...able },
    {
      type: 'ScalingActive',
      status: 'True',
      reason: 'ValidMetricFound',
      message: `the HPA was able to successfully calculate a replica count from ${best.name}`,
    },
    { type: 'ScalingLimited', status: limited ? 'True' : 'False', ...told },
  ];
  const reason = desired > current ? `${best.name} above target` : desired < current ? 'All metrics below target' : '';
  return {
    ...(replicas === current ? {} : { rescale: { to: replicas, reason } }),
    findings,
    events,
    metrics,
    failed: false,
    memory,
  };
}

function unmeasured({ memory }: Observation, { event, condition }: SelectorFault): Decision {
  const found: Finding = { type: 'ScalingActive', status: 'False', ...condition };
  const failed: PlannedEvent = { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: event.message };
  return { findings: [GOT_SCALE, found], events: [event, failed], metrics: [], failed: true, memory };
}

function proposalsOf(observation: Observation, measured: readonly Measured[]) {
  const { autoscaler, scale, pods, now, settings } = observation;
  const world = {
    specReplicas: scale.spec?.replicas ?? 0,
    statusReplicas: scale.status?.replicas ?? 0,
    pods,
    tolerances: tolerancesOf(autoscaler, settings),
    now,
    settings,
  };
  const failures: MetricFailure[] = [];
  const proposals = (autoscaler.spec?.metrics ?? []).map((spec, i): MetricProposal | undefined => {
    try {
      return proposalOf(spec, measured[i] ?? { type: 'failed', message: 'it was not measured' }, world);
    } catch (error) {
      if (!(error instanceof MetricFailure)) throw error;
      failures.push(error);
      return undefined;
    }
  });
  return { proposals, failures };
}

function tolerancesOf({ spec }: HorizontalPodAutoscaler, { tolerance }: AutoscalerSettings): Tolerances {
  const of = (text: string | undefined) => (text === undefined ? tolerance : Number(quantityOf(text).nano) / NANO);
  return { up: of(spec?.behavior?.scaleUp?.tolerance), down: of(spec?.behavior?.scaleDown?.tolerance) };
}

/** How the change of the scale went. `error`: why it was refused. */
export interface Outcome {
  readonly error?: string;
}

export interface Conclusion {
  /** undefined where it is as it was */
  readonly status?: HorizontalPodAutoscalerStatus;
  readonly events: readonly PlannedEvent[];
  readonly memory: Memory;
}

/** What the autoscaler tells when what was decided is done, or could not be. */
export function conclude(
  { autoscaler, scale, now }: Pick<Observation, 'autoscaler' | 'scale' | 'now'>,
  decision: Decision,
  outcome: Outcome,
): Conclusion {
  const { rescale, failed, metrics } = decision;
  const current = scale.spec?.replicas ?? 0;
  const events = [...decision.events];
  const findings = [...decision.findings];
  let { memory } = decision;
  if (rescale !== undefined && outcome.error === undefined) {
    const { to, reason } = rescale;
    const message = `the HPA controller was able to update the target scale to ${to}`;
    findings.push({ type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message });
    events.push({ type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${to}; reason: ${reason}` });
    memory = withChange(memory, autoscaler.spec?.behavior, to - current, now);
  } else if (rescale !== undefined) {
    const { to, reason } = rescale;
    const message = `the HPA controller was unable to update the target scale: ${outcome.error}`;
    findings.push({ type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale', message });
    const told = `New size: ${to}; reason: ${reason}; error: ${outcome.error}`;
    events.push({ type: 'Warning', reason: 'FailedRescale', message: told });
  }
  const done = rescale !== undefined && outcome.error === undefined;
  const old = autoscaler.status;
  const stays = failed || outcome.error !== undefined ? (old?.desiredReplicas ?? 0) : current;
  const lastScaleTime = done ? formatTime(now) : old?.lastScaleTime;
  const generation = autoscaler.metadata.generation;
  const status: HorizontalPodAutoscalerStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    currentReplicas: current,
    desiredReplicas: done ? rescale.to : stays,
    ...(metrics === undefined || metrics.length === 0 ? {} : { currentMetrics: [...metrics] }),
    conditions: conditionsOf(old?.conditions ?? [], findings, now),
  };
  return { ...changed(old, status), events, memory };
}

/** The target's scale could not be read. */
export function concludeWithoutScale(
  autoscaler: Stored<HorizontalPodAutoscaler>,
  error: string,
  now: number,
): Pick<Conclusion, 'status' | 'events'> {
  const message = `the HPA controller was unable to get the target's current scale: ${error}`;
  const found: Finding = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message };
  const old = autoscaler.status;
  const status = { desiredReplicas: 0, ...old, conditions: conditionsOf(old?.conditions ?? [], [found], now) };
  return { ...changed(old, status), events: [{ type: 'Warning', reason: 'FailedGetScale', message: error }] };
}

function changed(old: HorizontalPodAutoscalerStatus | undefined, status: HorizontalPodAutoscalerStatus) {
  return semanticEqual(HorizontalPodAutoscalerStatus, old, status) ? {} : { status };
}

/** Each condition keeps its place, and its time while its status stays. */
function conditionsOf(
  old: readonly HorizontalPodAutoscalerCondition[],
  findings: readonly Finding[],
  now: number,
): HorizontalPodAutoscalerCondition[] {
  const conditions = [...old];
  for (const finding of findings) {
    const at = conditions.findIndex((c) => c.type === finding.type);
    const before = conditions[at];
    const lastTransitionTime =
      before?.status === finding.status && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : formatTime(now);
    const condition = { ...finding, lastTransitionTime };
    if (at < 0) conditions.push(condition);
    else conditions[at] = condition;
  }
  return conditions;
}
