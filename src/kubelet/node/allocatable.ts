/**
 * What of a node is for pods: all but what is reserved and what must stay free. Pure.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/#node-allocatable
 */
import type { ResourceList } from '../../apis/core/podResources.ts';
import { formatQuantity, quantityOf } from '../../machinery/quantity.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import { amountOf, SIGNALS, thresholdsOf } from '../eviction/thresholds.ts';

type Told = Pick<KubeletConfiguration, 'systemReserved' | 'kubeReserved' | 'evictionHard'>;

const KEPT_FREE = new Set(['memory.available', 'nodefs.available']);
const NANO = 10n ** 9n;

/** @throws Error for thresholds or amounts that are none */
export function allocatableOf(capacity: Readonly<ResourceList>, told: Told): ResourceList {
  const hard = thresholdsOf({ ...told, evictionSoft: {}, evictionSoftGracePeriod: {}, evictionMinimumReclaim: {} });
  const left: ResourceList = {};
  for (const [resource, text] of Object.entries(capacity)) {
    const whole = quantityOf(text);
    let { nano } = whole;
    for (const reserved of [told.systemReserved[resource], told.kubeReserved[resource]])
      if (reserved !== undefined) nano -= quantityOf(reserved).nano;
    for (const { signal, value } of hard) {
      if (!KEPT_FREE.has(signal) || SIGNALS[signal].resource !== resource) continue;
      nano -= BigInt(Math.ceil(amountOf(value, Number(whole.nano / NANO)))) * NANO;
    }
    left[resource] = nano === whole.nano ? text : formatQuantity({ ...whole, nano: nano < 0n ? 0n : nano });
  }
  return left;
}
