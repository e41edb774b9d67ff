import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import { bool, type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { EXEMPT, MANDATORY_FLOW_SCHEMAS } from './mandatory.ts';
import { validateConditionTypes, validatePolicyRules } from './validation.ts';

export const FlowSchema = object('io.k8s.api.flowcontrol.v1.FlowSchema', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, FlowSchemaSpec),
  status: opt(3, FlowSchemaStatus),
}));
export interface FlowSchema extends Infer<typeof FlowSchema> {}

export const FlowSchemaStatus = object('io.k8s.api.flowcontrol.v1.FlowSchemaStatus', () => ({
  conditions: opt(1, list(FlowSchemaCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface FlowSchemaStatus extends Infer<typeof FlowSchemaStatus> {}

export const FlowSchemaCondition = object('io.k8s.api.flowcontrol.v1.FlowSchemaCondition', () => ({
  type: opt(1, str),
  status: opt(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface FlowSchemaCondition extends Infer<typeof FlowSchemaCondition> {}

export const FlowSchemaSpec = object('io.k8s.api.flowcontrol.v1.FlowSchemaSpec', () => ({
  priorityLevelConfiguration: req(1, PriorityLevelConfigurationReference, {
    doc: 'The priority level that serves the requests of this schema.',
  }),
  matchingPrecedence: opt(2, int32, {
    pointer: false,
    doc: 'Among the schemas that match a request, the one with the lowest number counts.',
  }),
  distinguisherMethod: opt(3, FlowDistinguisherMethod, {
    doc: 'What tells one flow from another: ByUser or ByNamespace.',
  }),
  rules: opt(4, list(PolicyRulesWithSubjects), { doc: 'Which requests it is for; one rule that fits is enough.' }),
}));
export interface FlowSchemaSpec extends Infer<typeof FlowSchemaSpec> {}

export const PolicyRulesWithSubjects = object('io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects', () => ({
  subjects: req(1, list(Subject)),
  resourceRules: opt(2, list(ResourcePolicyRule)),
  nonResourceRules: opt(3, list(NonResourcePolicyRule)),
}));
export interface PolicyRulesWithSubjects extends Infer<typeof PolicyRulesWithSubjects> {}

export const Subject = object('io.k8s.api.flowcontrol.v1.Subject', () => ({
  kind: req(1, str),
  user: opt(2, UserSubject),
  group: opt(3, GroupSubject),
  serviceAccount: opt(4, ServiceAccountSubject),
}));
export interface Subject extends Infer<typeof Subject> {}

export const UserSubject = object('io.k8s.api.flowcontrol.v1.UserSubject', () => ({
  name: req(1, str),
}));
export interface UserSubject extends Infer<typeof UserSubject> {}

export const ServiceAccountSubject = object('io.k8s.api.flowcontrol.v1.ServiceAccountSubject', () => ({
  namespace: req(1, str),
  name: req(2, str),
}));
export interface ServiceAccountSubject extends Infer<typeof ServiceAccountSubject> {}

export const GroupSubject = object('io.k8s.api.flowcontrol.v1.GroupSubject', () => ({
  name: req(1, str),
}));
export interface GroupSubject extends Infer<typeof GroupSubject> {}

export const ResourcePolicyRule = object('io.k8s.api.flowcontrol.v1.ResourcePolicyRule', () => ({
  verbs: req(1, list(str, { type: 'set' })),
  apiGroups: req(2, list(str, { type: 'set' })),
  resources: req(3, list(str, { type: 'set' })),
  clusterScope: opt(4, bool, { pointer: false }),
  namespaces: opt(5, list(str, { type: 'set' })),
}));
export interface ResourcePolicyRule extends Infer<typeof ResourcePolicyRule> {}

export const NonResourcePolicyRule = object('io.k8s.api.flowcontrol.v1.NonResourcePolicyRule', () => ({
  verbs: req(1, list(str, { type: 'set' })),
  nonResourceURLs: req(6, list(str, { type: 'set' })),
}));
export interface NonResourcePolicyRule extends Infer<typeof NonResourcePolicyRule> {}

export const PriorityLevelConfigurationReference = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference',
  () => ({
    name: req(1, str),
  }),
);
export interface PriorityLevelConfigurationReference extends Infer<typeof PriorityLevelConfigurationReference> {}

export const FlowDistinguisherMethod = object('io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod', () => ({
  type: req(1, str),
}));
export interface FlowDistinguisherMethod extends Infer<typeof FlowDistinguisherMethod> {}

/** Flow schemas: which requests belong to which priority level. */
export const flowSchemas = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  schema: FlowSchema,
  namespaced: false,
  hasGeneration: true,
  setDefaults({ spec }) {
    if (spec === undefined) return;
    // Absent and 0 are the same, as in Go.
    spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
  },
  prepareForCreate(schema) {
    schema.status = {};
  },
  validate: validateFlowSchema,
  update: {
    prepare(schema, old) {
      schema.status = old.status ?? {};
    },
    validate: validateFlowSchema,
  },
  status: { prepare: keepSpec, validate: validateStatus },
  columns: [
    NAME_COLUMN,
    {
      name: 'PriorityLevel',
      type: 'string',
      description: 'The priority level that its requests belong to.',
      value: ({ spec }) => spec?.priorityLevelConfiguration?.name ?? '',
    },
    {
      name: 'MatchingPrecedence',
      type: 'string',
      description: 'The lowest of the schemas that match counts.',
      value: ({ spec }) => spec?.matchingPrecedence ?? 0,
    },
    {
      name: 'DistinguisherMethod',
      type: 'string',
      description: 'What tells one flow from another.',
      value: ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>',
    },
    AGE_COLUMN,
    {
      name: 'MissingPL',
      type: 'string',
      description: 'Whether its priority level is not there.',
      value: ({ status }) => status?.conditions?.find((c) => c.type === 'Dangling')?.status || '?',
    },
  ],
});

const DEFAULT_PRECEDENCE = 1000;
const MAX_PRECEDENCE = 10_000;
const DISTINGUISHERS = ['ByNamespace', 'ByUser'];

function validateFlowSchema(schema: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  const name = schema.metadata?.name ?? '';
  const spec: Partial<FlowSchemaSpec> = schema.spec ?? {};
  const precedence = spec.matchingPrecedence ?? 0;
  const path = 'spec.matchingPrecedence';
  if (precedence <= 0) errors.push(invalid(path, precedence, 'must be a positive value'));
  if (precedence > MAX_PRECEDENCE) errors.push(invalid(path, precedence, `must not be greater than ${MAX_PRECEDENCE}`));
  if (precedence === 1 && name !== EXEMPT) {
    errors.push(invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  const method = spec.distinguisherMethod;
  if (method !== undefined && !DISTINGUISHERS.includes(method.type ?? '')) {
    errors.push(notSupported('spec.distinguisherMethod.type', method.type ?? '', DISTINGUISHERS));
  }
  const level = spec.priorityLevelConfiguration?.name ?? '';
  const levelPath = 'spec.priorityLevelConfiguration.name';
  if (level === '') errors.push(required(levelPath, 'must reference a priority level'));
  else for (const fault of dnsSubdomain(level)) errors.push(invalid(levelPath, level, fault));
  for (const [i, rule] of (spec.rules ?? []).entries()) validatePolicyRules(rule, `spec.rules[${i}]`, errors);
  const fixed = MANDATORY_FLOW_SCHEMAS.get(name);
  if (fixed !== undefined && !semanticEqual(FlowSchemaSpec, schema.spec, fixed)) {
    errors.push(invalid('spec', schema.spec, `spec of '${name}' must equal the fixed value`));
  }
  return [...errors, ...validateStatus(schema)];
}

function validateStatus(schema: FlowSchema): FieldError[] {
  const errors: FieldError[] = [];
  validateConditionTypes(schema.status?.conditions, errors);
  return errors;
}
