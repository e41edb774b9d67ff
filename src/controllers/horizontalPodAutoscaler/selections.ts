/** Which pods autoscalers look at: where two share a pod, neither can tell what there is to do. */
import type { HorizontalPodAutoscaler } from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { keyOf } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import {
  matchesLabels,
  parseLabelSelector,
  type Selector,
  SelectorSyntaxError,
} from '../../machinery/labelSelector.ts';
import type { SelectorFault } from './plan.ts';

type Autoscaler = Stored<HorizontalPodAutoscaler>;

const REQUIRED: SelectorFault = {
  event: { type: 'Warning', reason: 'SelectorRequired', message: 'selector is required' },
  condition: { reason: 'InvalidSelector', message: "the HPA target's scale is missing a selector" },
};

/** @param text of a scale's status */
export function selectorOf(text: string): Selector | SelectorFault {
  if (text === '') return REQUIRED;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorSyntaxError)) throw error;
    return fault(
      'InvalidSelector',
      `couldn't convert selector into a corresponding internal selector object: ${error.message}`,
    );
  }
}

/** @param all that look at the same pods */
export function ambiguity(selector: string, all: readonly Autoscaler[]): SelectorFault {
  const keys = all.map(keyOf).sort().join(' ');
  return fault('AmbiguousSelector', `pods by selector ${selector} are controlled by multiple HPAs: [${keys}]`);
}

const fault = (reason: string, message: string): SelectorFault => ({
  event: { type: 'Warning', reason, message },
  condition: { reason, message },
});

/** What each autoscaler selected when it last looked. */
export class Selections {
  readonly #byNamespace = new Map<string, Map<string, { autoscaler: Autoscaler; selector: Selector }>>();

  set(autoscaler: Autoscaler, selector: Selector): void {
    const { namespace = '', uid } = autoscaler.metadata;
    const inNamespace = this.#byNamespace.get(namespace) ?? new Map();
    this.#byNamespace.set(namespace, inNamespace.set(uid, { autoscaler, selector }));
  }

  delete({ metadata: { namespace = '', uid } }: Autoscaler): void {
    const inNamespace = this.#byNamespace.get(namespace);
    inNamespace?.delete(uid);
    if (inNamespace?.size === 0) this.#byNamespace.delete(namespace);
  }

  /** Other autoscalers that select one of these pods. */
  sharing({ metadata: { namespace = '', uid } }: Autoscaler, pods: readonly Stored<Pod>[]): readonly Autoscaler[] {
    return [...(this.#byNamespace.get(namespace)?.values() ?? [])]
      .filter(
        ({ autoscaler, selector }) =>
          autoscaler.metadata.uid !== uid && pods.some((pod) => matchesLabels(selector, pod.metadata.labels)),
      )
      .map(({ autoscaler }) => autoscaler);
  }
}
