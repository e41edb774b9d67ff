import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { addQuantities } from '../../machinery/quantity.ts';
import {
  duration,
  type Infer,
  list,
  map,
  object,
  opt,
  type Quantity,
  quantity,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { usageColumn, windowColumn } from './columns.ts';

export const PodMetrics = object('io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  timestamp: req(2, time, { doc: 'The end of the time that the usage was measured in.' }),
  window: req(3, duration, { doc: 'How long was measured.' }),
  containers: req(4, list(ContainerMetrics), { doc: 'All containers that run.' }),
}));
export interface PodMetrics extends Infer<typeof PodMetrics> {}

export const ContainerMetrics = object('io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics', () => ({
  name: req(1, str),
  usage: req(2, map(quantity), { doc: 'What the container uses: cpu on average over the window, memory at its end.' }),
}));
export interface ContainerMetrics extends Infer<typeof ContainerMetrics> {}

const VERBS = ['get', 'list'] as const;

function sumOf({ containers }: PodMetrics, resource: string): Quantity | undefined {
  const amounts = (containers ?? []).flatMap(({ usage }) => usage?.[resource] ?? []);
  return amounts.length === 0 ? undefined : amounts.reduce((a, b) => addQuantities(a, b));
}

/** What pods use now, by container. Nobody stores it: it is measured when it is asked for. */
export const podMetrics = defineKind<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  schema: PodMetrics,
  verbs: VERBS,
  stored: false,
  columns: [
    NAME_COLUMN,
    usageColumn<PodMetrics>('cpu', (pod) => sumOf(pod, 'cpu')),
    usageColumn<PodMetrics>('memory', (pod) => sumOf(pod, 'memory')),
    windowColumn<PodMetrics>(),
  ],
});
