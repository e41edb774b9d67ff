/**
 * Gives every namespace its service account `default`.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
 */
import { namespaces } from '../apis/core/namespace.ts';
import { serviceAccounts } from '../apis/core/serviceAccount.ts';
import type { Kind } from '../machinery/kind.ts';
import type { ControllerContext } from './context.ts';
import { startLoop } from './loop.ts';

const DEFAULT = 'default';

export function startServiceAccountController(context: ControllerContext): void {
  const namespaceInformer = context.informers.of(namespaces);
  const accounts = context.informers.of(serviceAccounts);
  const loop = startLoop({
    name: 'service-account-controller',
    context,
    reads: [namespaceInformer, accounts],
    plan(name) {
      const namespace = namespaceInformer.byKey(name);
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
      if (accounts.get(name, DEFAULT) !== undefined) return undefined;
      const object = { metadata: { name: DEFAULT, namespace: name } };
      return { actions: [{ verb: 'create', kind: serviceAccounts as Kind, object }] };
    },
  });
  namespaceInformer.handle({ onAdd: (namespace) => loop.enqueue(namespace.metadata.name) });
  accounts.handle({
    onDelete(account) {
      if (account.metadata.name === DEFAULT) loop.enqueue(account.metadata.namespace ?? '');
    },
  });
}
