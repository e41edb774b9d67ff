/**
 * POST of an Eviction: a pod is deleted with grace, as by DELETE, unless a disruption budget stands against it.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
import { pods } from '../../apis/core/pod.ts';
import { type Eviction, evictions } from '../../apis/policy/eviction.ts';
import type { Kind } from '../../machinery/kind.ts';
import { badRequest } from '../../machinery/status.ts';
import { readReview } from '../reviewBody.ts';
import { type ApiServerParts, type Handler, handlerKey } from '../stage.ts';
import { deleteObject } from '../verbs/delete.ts';
import { success } from './success.ts';
import { allowing } from './verbs.ts';

export function evictionHandlers(parts: () => ApiServerParts): [string, Handler][] {
  const handler = allowing(['create'], async (ctx) => {
    const eviction = (await readReview(ctx, evictions as unknown as Kind)) as Eviction;
    const { namespace, name } = ctx.info;
    if (eviction.metadata?.name && eviction.metadata.name !== name) {
      throw badRequest('name in URL does not match name in Eviction object');
    }
    await parts().registry.cache(pods).freshen();
    await deleteObject(parts(), ctx, pods as unknown as Kind, namespace, name, eviction.deleteOptions ?? {});
    return success(201);
  });
  return [[handlerKey('', 'pods', 'eviction'), handler]];
}
