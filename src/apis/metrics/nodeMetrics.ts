import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { duration, type Infer, map, object, opt, quantity, req, str, time } from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { usageColumn, windowColumn } from './columns.ts';

export const NodeMetrics = object('io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  timestamp: req(2, time, { doc: 'The end of the time that the usage was measured in.' }),
  window: req(3, duration, { doc: 'How long was measured.' }),
  usage: req(4, map(quantity), { doc: 'What the node uses: cpu on average over the window, memory at its end.' }),
}));
export interface NodeMetrics extends Infer<typeof NodeMetrics> {}

const VERBS = ['get', 'list'] as const;

/** What nodes use now. Nobody stores it: it is measured when it is asked for. */
export const nodeMetrics = defineKind<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  schema: NodeMetrics,
  namespaced: false,
  verbs: VERBS,
  stored: false,
  columns: [
    NAME_COLUMN,
    usageColumn<NodeMetrics>('cpu', ({ usage }) => usage?.cpu),
    usageColumn<NodeMetrics>('memory', ({ usage }) => usage?.memory),
    windowColumn<NodeMetrics>(),
  ],
});
