/** The flow schemas and priority levels without which no API server is: they may not be changed. */
import type { FlowSchemaSpec, PolicyRulesWithSubjects, Subject } from './flowSchema.ts';
import type { PriorityLevelConfigurationSpec } from './priorityLevelConfiguration.ts';

export const EXEMPT = 'exempt';
export const CATCH_ALL = 'catch-all';

/** Subjects of a flow schema, by the names of groups. */
export const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }));

/** Every request of these subjects. */
export function everything(subjects: Subject[]): PolicyRulesWithSubjects {
  return {
    subjects,
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  };
}

export const MANDATORY_FLOW_SCHEMAS: ReadonlyMap<string, FlowSchemaSpec> = new Map<string, FlowSchemaSpec>([
  [
    EXEMPT,
    {
      priorityLevelConfiguration: { name: EXEMPT },
      matchingPrecedence: 1,
      rules: [everything(groups('system:masters'))],
    },
  ],
  [
    CATCH_ALL,
    {
      priorityLevelConfiguration: { name: CATCH_ALL },
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [everything(groups('system:unauthenticated', 'system:authenticated'))],
    },
  ],
]);

export const MANDATORY_PRIORITY_LEVELS: ReadonlyMap<string, PriorityLevelConfigurationSpec> = new Map<
  string,
  PriorityLevelConfigurationSpec
>([
  [EXEMPT, { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }],
  [
    CATCH_ALL,
    {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
    },
  ],
]);
