/** Runs the plans of secrets that hold tokens of service accounts. */
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { accountOf, planToken, TOKEN_TYPE, type TokenSubject, withoutSecret } from './plan.ts';

const NAME = 'tokens-controller';
const BY_ACCOUNT = 'account';

export interface TokenControllerOptions {
  /** PEM */
  readonly clusterCA: string;
  sign(subject: TokenSubject): Promise<string>;
}

export function startTokenController(context: ControllerContext, options: TokenControllerOptions): void {
  const informer = context.informers.of(secrets, { fieldSelector: `type=${TOKEN_TYPE}` });
  const accounts = context.informers.of(serviceAccounts);
  informer.addIndex(BY_ACCOUNT, (secret) => {
    const account = accountOf(secret);
    return account === undefined ? [] : [refKey(secret.metadata.namespace, account)];
  });
  const client = context.clientFor(NAME);
  /** the accounts of secrets that are gone */
  const deleted = new Map<string, string>();
  const loop = startLoop({
    name: NAME,
    context,
    reads: [informer, accounts],
    plan(key) {
      const secret = informer.byKey(key);
      const gone = deleted.get(key);
      deleted.delete(key);
      if (secret === undefined) {
        const account = gone === undefined ? undefined : accounts.byKey(gone);
        return account === undefined ? undefined : { actions: withoutSecret(account, key.split('/')[1] ?? '') };
      }
      const account = accounts.get(secret.metadata.namespace, accountOf(secret) ?? '');
      return { actions: planToken({ secret, account, client, ...options }) };
    },
  });
  const look = (secret: Stored<Secret>) => loop.enqueue(keyOf(secret));
  informer.handle({
    onAdd: look,
    onUpdate: look,
    onDelete(secret) {
      deleted.set(keyOf(secret), refKey(secret.metadata.namespace, accountOf(secret) ?? ''));
      look(secret);
    },
  });
  const lookAtTokens = (account: Parameters<typeof keyOf>[0]) => {
    for (const secret of informer.byIndex(BY_ACCOUNT, keyOf(account))) look(secret);
  };
  accounts.handle({ onAdd: lookAtTokens, onDelete: lookAtTokens });
}
