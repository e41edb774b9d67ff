/** Runs the plans of endpoints that belong to services without a selector. */
import { endpoints } from '../../apis/core/endpoints.ts';
import { services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { KubeObject } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { MANAGED_BY, SERVICE_NAME } from '../endpointSlice/plan.ts';
import { startLoop } from '../loop.ts';
import { hasSelector, isMirrored, MIRRORER, planMirror } from './plan.ts';

const BY_ENDPOINTS = 'endpoints';

export function startEndpointSliceMirroringController(context: ControllerContext): void {
  const endpointsInformer = context.informers.of(endpoints);
  const serviceInformer = context.informers.of(services);
  const slices = context.informers.of(endpointSlices);
  /** whose mirror a slice is; undefined for other slices */
  const sourceOf = ({ metadata }: KubeObject): string | undefined => {
    const name = metadata?.labels?.[SERVICE_NAME];
    return name === undefined || metadata?.labels?.[MANAGED_BY] !== MIRRORER
      ? undefined
      : refKey(metadata.namespace, name);
  };
  slices.addIndex(BY_ENDPOINTS, (slice) => {
    const source = sourceOf(slice);
    return source === undefined ? [] : [source];
  });
  const loop = startLoop({
    name: 'endpointslicemirroring-controller',
    context,
    reads: [endpointsInformer, serviceInformer, slices],
    plan(key) {
      const actions = planMirror({
        endpoints: endpointsInformer.byKey(key),
        service: serviceInformer.byKey(key),
        slices: slices.byIndex(BY_ENDPOINTS, key).filter((s) => s.metadata.deletionTimestamp === undefined),
      });
      return { actions };
    },
  });
  endpointsInformer.handle({
    onAdd(object) {
      if (isMirrored(object)) loop.enqueue(keyOf(object));
    },
    onUpdate(object, old) {
      if (isMirrored(object) || isMirrored(old)) loop.enqueue(keyOf(object));
    },
    onDelete: (object) => loop.enqueue(keyOf(object)),
  });
  serviceInformer.handle({
    onAdd(service) {
      if (!hasSelector(service)) loop.enqueue(keyOf(service));
    },
    onUpdate(service, old) {
      if (hasSelector(service) !== hasSelector(old)) loop.enqueue(keyOf(service));
    },
    onDelete: (service) => loop.enqueue(keyOf(service)),
  });
  const tell = (slice: KubeObject) => {
    const source = sourceOf(slice);
    if (source !== undefined) loop.enqueue(source);
  };
  slices.handle({
    onUpdate(slice, old) {
      tell(slice);
      tell(old);
    },
    onDelete: tell,
  });
}
