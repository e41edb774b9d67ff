import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { EXEMPT, MANDATORY_PRIORITY_LEVELS } from './mandatory.ts';
import { validateConditionTypes } from './validation.ts';

export const PriorityLevelConfiguration = object('io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PriorityLevelConfigurationSpec),
  status: opt(3, PriorityLevelConfigurationStatus),
}));
export interface PriorityLevelConfiguration extends Infer<typeof PriorityLevelConfiguration> {}

export const PriorityLevelConfigurationStatus = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus',
  () => ({
    conditions: opt(
      1,
      list(PriorityLevelConfigurationCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
    ),
  }),
);
export interface PriorityLevelConfigurationStatus extends Infer<typeof PriorityLevelConfigurationStatus> {}

export const PriorityLevelConfigurationCondition = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition',
  () => ({
    type: opt(1, str),
    status: opt(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
  }),
);
export interface PriorityLevelConfigurationCondition extends Infer<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationSpec = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec',
  () => ({
    type: req(1, str),
    limited: opt(2, LimitedPriorityLevelConfiguration),
    exempt: opt(3, ExemptPriorityLevelConfiguration),
  }),
);
export interface PriorityLevelConfigurationSpec extends Infer<typeof PriorityLevelConfigurationSpec> {}

export const LimitedPriorityLevelConfiguration = object(
  'io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration',
  () => ({
    nominalConcurrencyShares: opt(1, int32),
    limitResponse: opt(2, LimitResponse, { pointer: false }),
    lendablePercent: opt(3, int32),
    borrowingLimitPercent: opt(4, int32, {
      doc: 'How many seats it may borrow, as a share of its own; absent: any number.',
    }),
  }),
);
export interface LimitedPriorityLevelConfiguration extends Infer<typeof LimitedPriorityLevelConfiguration> {}

export const LimitResponse = object('io.k8s.api.flowcontrol.v1.LimitResponse', () => ({
  type: req(1, str),
  queuing: opt(2, QueuingConfiguration),
}));
export interface LimitResponse extends Infer<typeof LimitResponse> {}

export const QueuingConfiguration = object('io.k8s.api.flowcontrol.v1.QueuingConfiguration', () => ({
  queues: opt(1, int32, { pointer: false, doc: 'How many queues the level has.' }),
  handSize: opt(2, int32, { pointer: false, doc: 'Of how many queues each flow gets the shortest.' }),
  queueLengthLimit: opt(3, int32, { pointer: false, doc: 'Requests that may wait in one queue; more are refused.' }),
}));
export interface QueuingConfiguration extends Infer<typeof QueuingConfiguration> {}

export const ExemptPriorityLevelConfiguration = object(
  'io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration',
  () => ({
    nominalConcurrencyShares: opt(1, int32),
    lendablePercent: opt(2, int32),
  }),
);
export interface ExemptPriorityLevelConfiguration extends Infer<typeof ExemptPriorityLevelConfiguration> {}

/** Priority levels: how many requests are served at once, and what happens to those that are too many. */
export const priorityLevelConfigurations = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  schema: PriorityLevelConfiguration,
  namespaced: false,
  hasGeneration: true,
  setDefaults({ spec }) {
    if (spec === undefined) return;
    if (spec.type === 'Exempt') spec.exempt ??= {};
    if (spec.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    const limited = spec.limited;
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= DEFAULT_SHARES;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (queuing === undefined) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  prepareForCreate(level) {
    level.status = {};
  },
  validate: validateLevel,
  update: {
    prepare(level, old) {
      level.status = old.status ?? {};
    },
    validate: validateLevel,
  },
  status: { prepare: keepSpec, validate: validateStatus },
  columns: [
    NAME_COLUMN,
    {
      name: 'Type',
      type: 'string',
      description: 'Whether its requests are limited, or exempt from all limits.',
      value: ({ spec }) => spec?.type ?? '',
    },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      description: "Its share of the server's seats.",
      value: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? NONE,
    },
    {
      name: 'Queues',
      type: 'string',
      description: 'How many queues it has.',
      value: ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? NONE,
    },
    {
      name: 'HandSize',
      type: 'string',
      description: 'Of how many queues each flow gets the shortest.',
      value: ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? NONE,
    },
    {
      name: 'QueueLengthLimit',
      type: 'string',
      description: 'Requests that may wait in one queue.',
      value: ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? NONE,
    },
    AGE_COLUMN,
  ],
});

const DEFAULT_SHARES = 30;
const NONE = '<none>';
const MAX_QUEUES = 10_000_000;
/** Bits of the hash that deals the queues of a flow. */
const HASH_BITS = 60;

function validateLevel(level: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const name = level.metadata?.name ?? '';
  const spec: Partial<PriorityLevelConfigurationSpec> = level.spec ?? {};
  if ((name === EXEMPT) !== (spec.type === 'Exempt')) {
    errors.push(invalid('spec.type', spec.type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"));
  }
  switch (spec.type) {
    case 'Exempt':
      if (spec.limited !== undefined) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
      if (spec.exempt !== undefined) validateShares(spec.exempt, 'spec.exempt', errors);
      break;
    case 'Limited':
      if (spec.exempt !== undefined) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
      if (spec.limited === undefined) errors.push(required('spec.limited', 'must not be empty when type is Limited'));
      else validateLimited(spec.limited, 'spec.limited', errors);
      break;
    default:
      errors.push(notSupported('spec.type', spec.type ?? '', ['Exempt', 'Limited']));
  }
  const fixed = MANDATORY_PRIORITY_LEVELS.get(name);
  if (fixed !== undefined) {
    // What the exempt level lends to others may be set.
    const expected = name === EXEMPT && spec.exempt !== undefined ? { ...fixed, exempt: spec.exempt } : fixed;
    if (!semanticEqual(PriorityLevelConfigurationSpec, level.spec, expected)) {
      errors.push(invalid('spec', level.spec, `spec of '${name}' must equal the fixed value`));
    }
  }
  return [...errors, ...validateStatus(level)];
}

function validateShares(shares: ExemptPriorityLevelConfiguration, path: string, errors: FieldError[]): void {
  const { nominalConcurrencyShares = 0, lendablePercent = 0 } = shares;
  if (nominalConcurrencyShares < 0) {
    const detail = 'must be a non-negative integer';
    errors.push(invalid(`${path}.nominalConcurrencyShares`, nominalConcurrencyShares, detail));
  }
  if (lendablePercent < 0 || lendablePercent > 100) {
    errors.push(invalid(`${path}.lendablePercent`, lendablePercent, 'must be between 0 and 100, inclusive'));
  }
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: string, errors: FieldError[]): void {
  validateShares(limited, path, errors);
  const borrowing = limited.borrowingLimitPercent ?? 0;
  if (borrowing < 0) {
    errors.push(invalid(`${path}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  }
  const response: Partial<LimitResponse> = limited.limitResponse ?? {};
  const at = `${path}.limitResponse`;
  switch (response.type) {
    case 'Reject':
      if (response.queuing !== undefined) {
        errors.push(forbidden(`${at}.queuing`, 'must be nil if limited.limitResponse.type is not Limited'));
      }
      break;
    case 'Queue':
      if (response.queuing === undefined) {
        errors.push(required(`${at}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'));
      } else validateQueuing(response.queuing, `${at}.queuing`, errors);
      break;
    default:
      errors.push(notSupported(`${at}.type`, response.type ?? '', ['Queue', 'Reject']));
  }
}

function validateQueuing(queuing: QueuingConfiguration, path: string, errors: FieldError[]): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  if (queueLengthLimit <= 0) errors.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, 'must be positive'));
  else if (queues > MAX_QUEUES) {
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${MAX_QUEUES}`));
  }
  if (handSize <= 0) errors.push(invalid(`${path}.handSize`, handSize, 'must be positive'));
  else if (handSize > queues) {
    errors.push(invalid(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`));
  } else if (entropyBits(queues, handSize) > HASH_BITS) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`;
    errors.push(invalid(`${path}.handSize`, handSize, detail));
  }
}

/** How many bits it takes to deal a hand. */
function entropyBits(deck: number, hand: number): number {
  return Math.ceil(Math.log2(deck) * hand);
}

function validateStatus(level: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  validateConditionTypes(level.status?.conditions, errors);
  return errors;
}
