import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { LocalObjectReference, ObjectReference } from './references.ts';

export const ServiceAccount = object('io.k8s.api.core.v1.ServiceAccount', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  secrets: opt(2, list(ObjectReference, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  imagePullSecrets: opt(3, list(LocalObjectReference)),
  automountServiceAccountToken: opt(4, bool),
}));
export interface ServiceAccount extends Infer<typeof ServiceAccount> {}

/** Service accounts: the identities of pods. */
export const serviceAccounts = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  schema: ServiceAccount,
  returnsDeleted: true,
  subresources: { token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] } },
  columns: [
    NAME_COLUMN,
    {
      name: 'Secrets',
      type: 'string',
      description: 'How many secrets it lists.',
      value: (account) => account.secrets?.length ?? 0,
    },
    AGE_COLUMN,
  ],
});
