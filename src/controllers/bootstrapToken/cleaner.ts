/** Removes bootstrap tokens that have expired. */
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { keyOf } from '../../client/store.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { type Plan, startLoop } from '../loop.ts';
import { BOOTSTRAP_TYPE, expirationOf } from './token.ts';

export function startTokenCleaner(context: ControllerContext): void {
  const informer = context.informers.of(secrets, { namespace: 'kube-system', fieldSelector: `type=${BOOTSTRAP_TYPE}` });
  const loop = startLoop({
    name: 'token-cleaner',
    context,
    reads: [informer],
    plan(key) {
      const secret = informer.byKey(key);
      return secret === undefined ? undefined : planExpiration(secret, context.clock.now());
    },
  });
  const look = (secret: Stored<Secret>) => loop.enqueue(keyOf(secret));
  informer.handle({ onAdd: look, onUpdate: look });
}

export function planExpiration(secret: Stored<Secret>, now: number): Plan | undefined {
  const at = expirationOf(secret);
  if (at === undefined || secret.metadata.deletionTimestamp !== undefined) return undefined;
  if (at > now) return { actions: [], againMs: at - now };
  return { actions: [{ verb: 'delete', kind: secrets as Kind, object: secret }] };
}
