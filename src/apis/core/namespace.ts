import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel, qualifiedName } from '../../machinery/names.ts';
import { type Infer, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

export const Namespace = object('io.k8s.api.core.v1.Namespace', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, NamespaceSpec),
  status: opt(3, NamespaceStatus),
}));
export interface Namespace extends Infer<typeof Namespace> {}

export const NamespaceStatus = object('io.k8s.api.core.v1.NamespaceStatus', () => ({
  phase: opt(1, str),
  conditions: opt(2, list(NamespaceCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface NamespaceStatus extends Infer<typeof NamespaceStatus> {}

export const NamespaceCondition = object('io.k8s.api.core.v1.NamespaceCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
}));
export interface NamespaceCondition extends Infer<typeof NamespaceCondition> {}

export const NamespaceSpec = object('io.k8s.api.core.v1.NamespaceSpec', () => ({
  finalizers: opt(1, list(str)),
}));
export interface NamespaceSpec extends Infer<typeof NamespaceSpec> {}

/** Held by every namespace until the namespace controller has removed what is in it. */
export const NAMESPACE_FINALIZER = 'kubernetes';

/** Namespaces: what names are unique in. */
export const namespaces = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  schema: Namespace,
  nameRule: dnsLabel,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: {
    finalize: {
      kind: 'Namespace',
      verbs: ['update'],
      rules: {
        prepare(namespace, old) {
          namespace.spec ??= {};
          namespace.status = old.status ?? {};
        },
        validate(namespace) {
          const errors: FieldError[] = [];
          for (const [i, finalizer] of (namespace.spec?.finalizers ?? []).entries()) {
            for (const fault of qualifiedName(finalizer)) {
              errors.push(invalid(`spec.finalizers[${i}]`, finalizer, fault));
            }
          }
          return errors;
        },
      },
    },
  },
  setDefaults: labelWithName,
  prepareForCreate(namespace) {
    // A name that the server made was not there when defaults were set.
    labelWithName(namespace);
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = {
      finalizers: finalizers.includes(NAMESPACE_FINALIZER) ? finalizers : [...finalizers, NAMESPACE_FINALIZER],
    };
    namespace.status = { phase: 'Active' };
  },
  update: {
    prepare(namespace, old) {
      namespace.spec = old.spec ?? {};
      namespace.status = old.status ?? {};
    },
  },
  status: {
    prepare(namespace, old) {
      namespace.spec = old.spec ?? {};
    },
    validate(namespace) {
      const phase = namespace.status?.phase;
      const due = namespace.metadata?.deletionTimestamp === undefined ? 'Active' : 'Terminating';
      return phase === due ? [] : [invalid('status.phase', phase, `may only be '${due}' now`)];
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Status',
      type: 'string',
      description: 'Active, or Terminating while its content is being removed.',
      value: (ns) => ns.status?.phase ?? '',
    },
    AGE_COLUMN,
  ],
  selectableFields: { 'status.phase': (ns) => ns.status?.phase ?? '' },
});

/** Selectors find a namespace by its name through this label. */
function labelWithName({ metadata }: Namespace): void {
  if (metadata?.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}
