/**
 * How the parts of the control plane are, asked of each whenever somebody wants to know. Deprecated since 1.19.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/component-status-v1/
 */
import { type ComponentStatus, componentStatuses } from '../apis/core/componentStatus.ts';
import { encodeStored } from '../machinery/encode.ts';
import { apiVersionOf, type Kind } from '../machinery/kind.ts';
import { notFound } from '../machinery/status.ts';
import type { HealthCheck } from './health.ts';
import { Entry } from './registry/entry.ts';
import type { Registry } from './registry/registry.ts';
import { type Handler, handlerKey } from './stage.ts';
import { assertListOptions, wholeNumberOf } from './verbs/listOptions.ts';
import { selectionOf } from './verbs/selection.ts';

/** @param components what is asked, by the name that is shown */
export function componentStatusHandlers(registry: Registry, components: readonly HealthCheck[]): [string, Handler][] {
  const kind = componentStatuses as Kind;
  const sorted = [...components].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    [
      handlerKey(kind.group, kind.plural),
      async (ctx) => {
        const { name } = ctx.info;
        if (name !== '') {
          const component = sorted.find((one) => one.name === name);
          if (component === undefined) throw notFound(kind, name);
          return { type: 'object', status: 200, kind, object: await statusOf(component) };
        }
        assertListOptions(ctx.query);
        wholeNumberOf(ctx, 'limit');
        const { matches = () => true } = selectionOf(ctx, kind);
        const revision = await registry.storage.revision();
        const all = await Promise.all(sorted.map(statusOf));
        const entries = all
          .map((object) => new Entry(kind, object.metadata?.name ?? '', revision, encodeStored(kind, object)))
          .filter(matches);
        return { type: 'list', kind, revision, entries };
      },
    ],
  ];
}

async function statusOf({ name, check }: HealthCheck): Promise<ComponentStatus> {
  const named = { apiVersion: apiVersionOf(componentStatuses), kind: componentStatuses.kind, metadata: { name } };
  try {
    await check();
    return { ...named, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] };
  } catch (error) {
    return { ...named, conditions: [{ type: 'Healthy', status: 'False', error: (error as Error).message }] };
  }
}
