/** Says of each flow schema whether its priority level is there: the condition Dangling. */
import { type FlowSchema, flowSchemas } from '../../apis/flowcontrol/flowSchema.ts';
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Registry } from '../registry/registry.ts';

const DANGLING = 'Dangling';

export interface DanglingOptions {
  readonly registry: Registry;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Looks again whenever a schema or a level changes, until it is stopped. Both caches must be filled. */
export function watchDanglingSchemas({ registry, client, clock, log }: DanglingOptions): () => void {
  const schemas = registry.cache(flowSchemas);
  const levels = registry.cache(priorityLevelConfigurations);
  let pending = false;
  let stopped = false;
  const look = () => {
    pending = false;
    if (stopped) return;
    for (const schema of schemas.objects()) {
      const name = schema.spec?.priorityLevelConfiguration.name ?? '';
      const wanted = withCondition(schema, levels.object(undefined, name) !== undefined, name, clock.now());
      if (wanted === undefined) continue;
      client.update(flowSchemas, wanted, { subresource: 'status' }).catch((error: unknown) => {
        // Whoever changed or deleted it makes us look again.
        if (stopped || isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) return;
        log.warn('the status of a flow schema could not be written', { name: schema.metadata.name, err: error });
      });
    }
  };
  const later = () => {
    if (pending || stopped) return;
    pending = true;
    setImmediate(look);
  };
  const stops = new Map<unknown, () => void>();
  const follow = (cache: Pick<typeof schemas, 'listen' | 'start'>) => {
    if (stopped) return;
    const onEnd = () => {
      // A failure is met again by whoever reads the cache.
      if (!stopped)
        cache
          .start()
          .then(() => follow(cache))
          .catch(() => {});
    };
    stops.set(cache, cache.listen({ onEvent: later, onEnd }));
    later();
  };
  follow(schemas);
  follow(levels);
  return () => {
    stopped = true;
    for (const stop of stops.values()) stop();
  };
}

/** Undefined where it says so already. */
function withCondition(schema: Stored<FlowSchema>, found: boolean, level: string, now: number): FlowSchema | undefined {
  const status = found ? 'False' : 'True';
  const conditions = schema.status?.conditions ?? [];
  const before = conditions.find((c) => c.type === DANGLING);
  const message = found
    ? `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} and it exists`
    : `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} but there is no such object`;
  if (before?.status === status && before.message === message) return undefined;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(now);
  const condition = {
    type: DANGLING,
    status,
    reason: found ? 'Found' : 'NotFound',
    message,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
  };
  return {
    ...(schema as FlowSchema),
    status: { conditions: [...conditions.filter((c) => c.type !== DANGLING), condition] },
  };
}
