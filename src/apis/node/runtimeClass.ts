import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateLabels } from '../../machinery/validateMeta.ts';
import { Toleration } from '../core/affinity.ts';
import { validateResources } from '../core/validation/resources.ts';
import { validateTolerations } from '../core/validation/tolerations.ts';

export const RuntimeClass = object('io.k8s.api.node.v1.RuntimeClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  handler: req(2, str, { doc: 'What the container runtime calls it. Never changes.' }),
  overhead: opt(3, Overhead, { doc: 'What running a pod costs beside its containers.' }),
  scheduling: opt(4, Scheduling, { doc: 'Which nodes can run such pods.' }),
}));
export interface RuntimeClass extends Infer<typeof RuntimeClass> {}

export const Scheduling = object('io.k8s.api.node.v1.Scheduling', () => ({
  nodeSelector: opt(1, map(str, { atomic: true })),
  tolerations: opt(2, list(Toleration)),
}));
export interface Scheduling extends Infer<typeof Scheduling> {}

export const Overhead = object('io.k8s.api.node.v1.Overhead', () => ({
  podFixed: opt(1, map(quantity), { doc: 'What every such pod costs, whatever it does.' }),
}));
export interface Overhead extends Infer<typeof Overhead> {}

/** Runtime classes: ways to run a pod that the container runtime has. */
export const runtimeClasses = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  schema: RuntimeClass,
  namespaced: false,
  validate: validateRuntimeClass,
  update: {
    validate(runtime, old) {
      const errors = validateRuntimeClass(runtime);
      if (runtime.handler !== old.handler) errors.push(invalid('handler', runtime.handler, 'field is immutable'));
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Handler',
      type: 'string',
      description: 'What the container runtime calls it.',
      value: (runtime) => runtime.handler ?? '',
    },
    AGE_COLUMN,
  ],
});

const NO_CLAIMS: ReadonlySet<string> = new Set();

function validateRuntimeClass(runtime: RuntimeClass): FieldError[] {
  const errors: FieldError[] = [];
  const handler = runtime.handler ?? '';
  for (const fault of dnsLabel(handler)) errors.push(invalid('handler', handler, fault));
  const fixed = runtime.overhead?.podFixed;
  if (fixed !== undefined) validateResources({ limits: fixed }, NO_CLAIMS, 'overhead', errors);
  const { nodeSelector, tolerations } = runtime.scheduling ?? {};
  validateLabels(nodeSelector, 'scheduling.nodeSelector', errors);
  validateTolerations(tolerations ?? [], 'scheduling.tolerations', errors);
  return errors;
}
