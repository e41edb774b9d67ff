/**
 * The flow schemas and priority levels that every cluster begins with.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#defaults
 */
import {
  type FlowSchema,
  FlowSchemaSpec,
  type PolicyRulesWithSubjects,
  type Subject,
} from '../../apis/flowcontrol/flowSchema.ts';
import {
  EXEMPT,
  everything,
  groups,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
} from '../../apis/flowcontrol/mandatory.ts';
import {
  type PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { ObjectType } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';

const AUTOUPDATE = 'apf.kubernetes.io/autoupdate-spec';

const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }));
const KUBE_SYSTEM_ACCOUNTS: Subject[] = [
  { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } },
];
const EVERYBODY = groups('system:unauthenticated', 'system:authenticated');
const NODES = groups('system:nodes');

/** name, seats of 100 % that others may borrow, queues and cards */
const LEVELS: readonly [string, shares: number, lendable: number, queues: number, handSize: number][] = [
  ['system', 30, 33, 64, 6],
  ['node-high', 40, 25, 64, 6],
  ['leader-election', 10, 0, 16, 4],
  ['workload-high', 40, 50, 128, 6],
  ['workload-low', 100, 90, 128, 6],
  ['global-default', 20, 50, 128, 6],
];

type SchemaRow = [
  name: string,
  level: string,
  precedence: number,
  distinguisher: string,
  rules: PolicyRulesWithSubjects,
];

const onLeases = (verbs: string[]) => ({
  verbs,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ['*'],
});

const SCHEMAS: readonly SchemaRow[] = [
  [
    'probes',
    EXEMPT,
    2,
    '',
    { subjects: EVERYBODY, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    {
      subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...KUBE_SYSTEM_ACCOUNTS],
      resourceRules: [onLeases(['get', 'create', 'update'])],
    },
  ],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    {
      subjects: NODES,
      resourceRules: [
        { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true, namespaces: ['*'] },
        onLeases(['*']),
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', everything(NODES)],
  ['kube-controller-manager', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-controller-manager'))],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(users('system:kube-scheduler'))],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', everything(KUBE_SYSTEM_ACCOUNTS)],
  ['service-accounts', 'workload-low', 9000, 'ByUser', everything(groups('system:serviceaccounts'))],
  ['global-default', 'global-default', 9900, 'ByUser', everything(EVERYBODY)],
];

const meta = (name: string) => ({ name, annotations: { [AUTOUPDATE]: 'true' } });

export function defaultPriorityLevels(): PriorityLevelConfiguration[] {
  const mandatory = [...MANDATORY_PRIORITY_LEVELS].map(([name, spec]) => ({ metadata: meta(name), spec }));
  const suggested = LEVELS.map(([name, shares, lendable, queues, handSize]) => ({
    metadata: meta(name),
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: shares,
        lendablePercent: lendable,
        limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
      },
    },
  }));
  return [...mandatory, ...suggested];
}

export function defaultFlowSchemas(): FlowSchema[] {
  const mandatory = [...MANDATORY_FLOW_SCHEMAS].map(([name, spec]) => ({ metadata: meta(name), spec }));
  const suggested = SCHEMAS.map(([name, level, matchingPrecedence, distinguisher, rules]) => ({
    metadata: meta(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(distinguisher === '' ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [rules],
    },
  }));
  return [...mandatory, ...suggested];
}

/** What a default object must become: its spec is kept up to date unless an administrator has taken it over. */
function completed<T extends KubeObject & { spec?: unknown }>(
  type: ObjectType,
  mandatory: ReadonlyMap<string, unknown>,
  found: Stored<T>,
  wanted: T,
): T | undefined {
  const { name, annotations, generation } = found.metadata;
  const note = annotations?.[AUTOUPDATE] ?? ((generation ?? 1) === 1 || mandatory.has(name) ? 'true' : 'false');
  const mayUpdate = mandatory.has(name) || note === 'true';
  const spec = mayUpdate && !semanticEqual(type, found.spec, wanted.spec) ? wanted.spec : found.spec;
  if (spec === found.spec && annotations?.[AUTOUPDATE] !== undefined) return undefined;
  return {
    ...(found as T),
    metadata: { ...found.metadata, annotations: { ...annotations, [AUTOUPDATE]: note } },
    spec,
  };
}

export function completedFlowSchema(found: Stored<FlowSchema>, wanted: FlowSchema): FlowSchema | undefined {
  return completed(FlowSchemaSpec, MANDATORY_FLOW_SCHEMAS, found, wanted);
}

/** What the exempt level lends is the administrators' own. */
export function completedPriorityLevel(
  found: Stored<PriorityLevelConfiguration>,
  wanted: PriorityLevelConfiguration,
): PriorityLevelConfiguration | undefined {
  const lending = found.metadata.name === EXEMPT ? found.spec?.exempt : undefined;
  const target =
    lending === undefined || wanted.spec === undefined
      ? wanted
      : { ...wanted, spec: { ...wanted.spec, exempt: lending } };
  return completed(PriorityLevelConfigurationSpec, MANDATORY_PRIORITY_LEVELS, found, target);
}
