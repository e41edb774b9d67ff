import { type FieldError, forbidden, notSupported } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

export const PriorityClass = object('io.k8s.api.scheduling.v1.PriorityClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  value: opt(2, int32, { pointer: false }),
  globalDefault: opt(3, bool, { pointer: false }),
  description: opt(4, str),
  preemptionPolicy: opt(5, str, { pointer: true }),
}));
export interface PriorityClass extends Infer<typeof PriorityClass> {}

/** Priority classes: how important pods are. */
export const priorityClasses = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  schema: PriorityClass,
  shortNames: ['pc'],
  namespaced: false,
  setDefaults(priority) {
    priority.preemptionPolicy ??= 'PreemptLowerPriority';
    priority.value ??= 0;
    if (priority.globalDefault === false) delete priority.globalDefault;
  },
  prepareForCreate(priority) {
    // What counts of a priority class never changes, so neither does its generation.
    if (priority.metadata !== undefined) priority.metadata.generation = 1;
  },
  validate: validatePriorityClass,
  update: {
    validate(priority, old) {
      const errors: FieldError[] = [];
      for (const field of ['value', 'preemptionPolicy'] as const) {
        if (priority[field] !== old[field]) errors.push(forbidden(field, 'may not be changed in an update'));
      }
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Value',
      type: 'integer',
      description: 'The priority of its pods; the higher, the more important.',
      value: (priority) => priority.value ?? 0,
    },
    {
      name: 'Global-Default',
      type: 'boolean',
      description: 'Whether pods that name no class get this one.',
      value: (priority) => priority.globalDefault ?? false,
    },
    AGE_COLUMN,
    {
      name: 'PreemptionPolicy',
      type: 'string',
      description: 'Whether its pods may displace others.',
      value: (priority) => priority.preemptionPolicy ?? '',
    },
  ],
});

/** The highest priority that users can give. */
const HIGHEST_USER_PRIORITY = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';

/** The classes of the system itself, above all of the users'. */
const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
]);

const PREEMPTION_POLICIES = ['Never', 'PreemptLowerPriority'];

function validatePriorityClass(priority: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = priority.metadata?.name ?? '';
  const value = priority.value ?? 0;
  if (name.startsWith(SYSTEM_PREFIX)) {
    if (SYSTEM_PRIORITIES.get(name) !== value || priority.globalDefault === true) {
      errors.push(forbidden('metadata.name', `names with the prefix '${SYSTEM_PREFIX}' are for the system alone`));
    }
  } else if (value > HIGHEST_USER_PRIORITY) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`));
  }
  if (!PREEMPTION_POLICIES.includes(priority.preemptionPolicy ?? '')) {
    errors.push(notSupported('preemptionPolicy', priority.preemptionPolicy, PREEMPTION_POLICIES));
  }
  return errors;
}
