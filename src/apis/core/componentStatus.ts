import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';

export const ComponentStatus = object('io.k8s.api.core.v1.ComponentStatus', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  conditions: opt(2, list(ComponentCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface ComponentStatus extends Infer<typeof ComponentStatus> {}

export const ComponentCondition = object('io.k8s.api.core.v1.ComponentCondition', () => ({
  type: req(1, str, { doc: 'Only Healthy is known.' }),
  status: req(2, str, { doc: 'True, False or Unknown.' }),
  message: opt(3, str, { doc: 'What the component said.' }),
  error: opt(4, str, { doc: 'What went wrong when it was asked.' }),
}));
export interface ComponentCondition extends Infer<typeof ComponentCondition> {}

const VERBS = ['get', 'list'] as const;

const healthOf = ({ conditions }: ComponentStatus) => conditions?.find(({ type }) => type === 'Healthy');

/** Component statuses: how the parts of the control plane are. Nobody stores them: they are found out when asked for. */
export const componentStatuses = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  schema: ComponentStatus,
  shortNames: ['cs'],
  namespaced: false,
  verbs: VERBS,
  stored: false,
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    NAME_COLUMN,
    { name: 'Status', type: 'string', description: 'Whether the component is well.', value: wordOf },
    {
      name: 'Message',
      type: 'string',
      description: 'What the component said.',
      value: (component) => healthOf(component)?.message ?? '',
    },
    {
      name: 'Error',
      type: 'string',
      description: 'What went wrong when it was asked.',
      value: (component) => healthOf(component)?.error ?? '',
    },
  ],
});

function wordOf(component: ComponentStatus): string {
  switch (healthOf(component)?.status) {
    case 'True':
      return 'Healthy';
    case 'False':
      return 'Unhealthy';
    default:
      return 'Unknown';
  }
}
