/**
 * Keeps as many replicas as metrics ask for: looks at every autoscaler again and again, every 15 seconds.
 *
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import { pods } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import { matchesLabels } from '../../machinery/labelSelector.ts';
import { isApiError } from '../../machinery/status.ts';
import { type Action, statusUpdate } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { messageOf } from './failure.ts';
import { measure } from './metricsClient.ts';
import { asksMetrics, type Conclusion, conclude, concludeWithoutScale, decide, type Outcome } from './plan.ts';
import { ambiguity, Selections, selectorOf } from './selections.ts';
import { type AutoscalerSettings, DEFAULT_SETTINGS } from './settings.ts';
import { type Memory, NO_MEMORY } from './stabilize.ts';
import { type Target, targetOf } from './target.ts';

type Autoscaler = Stored<HorizontalPodAutoscaler>;

export function startHorizontalPodAutoscalerController(
  context: ControllerContext,
  settings: AutoscalerSettings = DEFAULT_SETTINGS,
): void {
  const name = 'horizontal-pod-autoscaler';
  const { clock } = context;
  const client = context.clientFor(name);
  const informer = context.informers.of(horizontalPodAutoscalers);
  const podInformer = context.informers.of(pods);
  /** by uid */
  const memories = new Map<string, Memory>();
  const selections = new Selections();

  async function observe(autoscaler: Autoscaler, target: Target, signal: AbortSignal) {
    const { scale } = target;
    const { namespace = '', uid } = autoscaler.metadata;
    const now = clock.now();
    const memory = memories.get(uid) ?? NO_MEMORY;
    const common = { autoscaler, scale, now, memory, settings };
    if (!asksMetrics(autoscaler, scale)) return { ...common, pods: [], measured: [] };
    const podSelector = scale.status?.selector ?? '';
    const selector = selectorOf(podSelector);
    if ('event' in selector) return { ...common, pods: [], measured: selector };
    const selected = () => podInformer.list(namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels));
    selections.set(autoscaler, selector);
    const others = selections.sharing(autoscaler, selected());
    if (others.length > 0) return { ...common, pods: [], measured: ambiguity(podSelector, [autoscaler, ...others]) };
    const measured = await measure({ client, namespace, podSelector, signal }, autoscaler.spec?.metrics ?? []);
    // To measure takes its time: what is told of is compared with the pods as they are then.
    return { ...common, now: clock.now(), pods: selected(), measured };
  }

  async function rescale(target: Target, to: number): Promise<Outcome> {
    try {
      await target.setReplicas(to);
      return {};
    } catch (error) {
      // Somebody wrote the target meanwhile: the loop looks again at once.
      if (isApiError(error, 'Conflict')) throw error;
      return { error: messageOf(error) };
    }
  }

  async function look(autoscaler: Autoscaler, signal: AbortSignal): Promise<readonly Action[]> {
    const { namespace = '', uid } = autoscaler.metadata;
    const reference = autoscaler.spec?.scaleTargetRef ?? { kind: '', name: '' };
    let target: Target;
    try {
      target = await targetOf(client, namespace, reference, signal);
    } catch (error) {
      signal.throwIfAborted();
      return actionsOf(autoscaler, concludeWithoutScale(autoscaler, messageOf(error), clock.now()));
    }
    const observation = await observe(autoscaler, target, signal);
    const decision = decide(observation);
    const outcome = decision.rescale === undefined ? {} : await rescale(target, decision.rescale.to);
    const conclusion = conclude(observation, decision, outcome);
    // It may have been deleted meanwhile.
    if (informer.get(namespace, autoscaler.metadata.name)?.metadata.uid === uid) memories.set(uid, conclusion.memory);
    return actionsOf(autoscaler, conclusion);
  }

  const loop = startLoop({
    name,
    context,
    reads: [informer, podInformer],
    plan(key) {
      const autoscaler = informer.byKey(key);
      if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return undefined;
      const run = (signal: AbortSignal) => look(autoscaler, signal);
      return { actions: [{ verb: 'work', run }], againMs: settings.syncPeriodMs };
    },
  });
  informer.handle({
    onAdd: (autoscaler) => loop.enqueue(keyOf(autoscaler)),
    onUpdate(autoscaler, old) {
      if (autoscaler.metadata.uid !== old.metadata.uid) forget(old);
      if (autoscaler.metadata.generation !== old.metadata.generation) loop.enqueue(keyOf(autoscaler));
    },
    onDelete: forget,
  });
  function forget(autoscaler: Autoscaler): void {
    memories.delete(autoscaler.metadata.uid);
    selections.delete(autoscaler);
  }
}

function actionsOf(autoscaler: Autoscaler, { status, events }: Pick<Conclusion, 'status' | 'events'>): Action[] {
  const actions: Action[] = events.map((event) => ({ verb: 'event', regarding: autoscaler, ...event }));
  if (status !== undefined) actions.push(statusUpdate(horizontalPodAutoscalers, { ...autoscaler, status }));
  return actions;
}
