/**
 * Limit ranges: containers get the resources that they do not name, and pods, containers and claims stay within bounds.
 * Source: https://kubernetes.io/docs/concepts/policy/limit-range/
 */
import type { Container } from '../../apis/core/container.ts';
import { type LimitRange, type LimitRangeItem, limitRanges } from '../../apis/core/limitRange.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources, type ResourceList } from '../../apis/core/podResources.ts';
import { compareQuantities, milliValue } from '../../machinery/quantity.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

export function limitRanger(registry: Registry): AdmissionPlugin {
  const cache: WatchCache<LimitRange> = registry.cache(limitRanges);
  const ofNamespace = (request: AdmissionRequest): LimitRange[] =>
    cache.entries(request.namespace).map((entry) => entry.object as LimitRange);
  const whenReady = (work: () => void) => (cache.ready ? work() : cache.start().then(work));
  return {
    name: 'LimitRanger',
    resources: new Set(['/pods', '/persistentvolumeclaims']),
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '' || request.kind.plural !== 'pods') return;
      return whenReady(() => {
        for (const range of ofNamespace(request)) setDefaults(request.object as Pod, range);
      });
    },
    validate(request) {
      const isPod = request.kind.plural === 'pods';
      const counts =
        request.subresource === ''
          ? request.operation === 'CREATE' || (!isPod && request.operation === 'UPDATE')
          : request.subresource === 'resize';
      if (!counts || request.object === undefined) return;
      return whenReady(() => {
        const faults = ofNamespace(request).flatMap(({ spec }) =>
          (spec?.limits ?? []).flatMap((limit) =>
            isPod
              ? podFaults(request.object as Pod, limit)
              : claimFaults(request.object as PersistentVolumeClaim, limit),
          ),
        );
        if (faults.length > 0) {
          const why = faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`;
          throw forbiddenRequest(request.kind, request.name, why);
        }
      });
    },
  };
}

/** What a container does not say, the first range says for it. */
function setDefaults(pod: Pod, { spec }: LimitRange): void {
  const limit = spec?.limits?.find(({ type }) => type === 'Container');
  if (limit === undefined || pod.spec === undefined) return;
  const said: string[] = [];
  const fill = (container: Container, what: string) => {
    const { limits, requests } = container.resources ?? {};
    const added = {
      request: missing(requests, limit.defaultRequest),
      limit: missing(limits, limit.default),
    };
    for (const [word, names] of Object.entries(added)) {
      if (names.length > 0) said.push(`${names.join(', ')} ${word} for ${what} ${container.name}`);
    }
    if (added.request.length + added.limit.length === 0) return;
    container.resources = {
      ...container.resources,
      ...(limit.default === undefined ? {} : { limits: { ...limit.default, ...limits } }),
      ...(limit.defaultRequest === undefined ? {} : { requests: { ...limit.defaultRequest, ...requests } }),
    };
  };
  for (const container of pod.spec.containers ?? []) fill(container, 'container');
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container');
  if (said.length === 0 || pod.metadata === undefined) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [ANNOTATION]: `LimitRanger plugin set: ${said.join('; ')}`,
  };
}

const missing = (given: Readonly<ResourceList> | undefined, preset: Readonly<ResourceList> | undefined) =>
  Object.keys(preset ?? {})
    .filter((name) => given?.[name] === undefined)
    .sort();

function podFaults({ spec }: Pod, limit: LimitRangeItem): string[] {
  const pod = spec ?? { containers: [] };
  if (limit.type === 'Pod') {
    const requests = { ...containerResources(pod, 'requests'), ...pod.resources?.requests };
    const limits = { ...containerResources(pod, 'limits'), ...pod.resources?.limits };
    return faultsOf(limit, requests, limits);
  }
  if (limit.type !== 'Container') return [];
  return [...(pod.containers ?? []), ...(pod.initContainers ?? [])].flatMap(({ resources }) =>
    faultsOf(limit, resources?.requests ?? {}, resources?.limits ?? {}),
  );
}

function faultsOf(limit: LimitRangeItem, requests: ResourceList, limits: ResourceList): string[] {
  const { type, min = {}, max = {}, maxLimitRequestRatio: ratios = {} } = limit;
  const faults: string[] = [];
  for (const [name, least] of Object.entries(min)) {
    const request = requests[name];
    const given = limits[name];
    if (request === undefined) faults.push(`minimum ${name} usage per ${type} is ${least}.  No request is specified`);
    else if (compareQuantities(request, least) < 0)
      faults.push(`minimum ${name} usage per ${type} is ${least}, but request is ${request}`);
    else if (given !== undefined && compareQuantities(given, least) < 0)
      faults.push(`minimum ${name} usage per ${type} is ${least}, but limit is ${given}`);
  }
  for (const [name, most] of Object.entries(max)) {
    const request = requests[name];
    const given = limits[name];
    if (given === undefined) faults.push(`maximum ${name} usage per ${type} is ${most}.  No limit is specified`);
    else if (compareQuantities(given, most) > 0)
      faults.push(`maximum ${name} usage per ${type} is ${most}, but limit is ${given}`);
    else if (request !== undefined && compareQuantities(request, most) > 0)
      faults.push(`maximum ${name} usage per ${type} is ${most}, but request is ${request}`);
  }
  for (const [name, ratio] of Object.entries(ratios)) {
    const request = requests[name];
    const given = limits[name];
    const text = `${name} max limit to request ratio per ${type} is ${ratio}`;
    if (request === undefined || milliValue(request) === 0)
      faults.push(`${text}, but no request is specified or request is 0`);
    else if (given === undefined || milliValue(given) === 0)
      faults.push(`${text}, but no limit is specified or limit is 0`);
    else if (milliValue(given) / milliValue(request) > milliValue(ratio) / 1000) {
      faults.push(`${text}, but provided ratio is ${(milliValue(given) / milliValue(request)).toFixed(6)}`);
    }
  }
  return faults;
}

function claimFaults({ spec }: PersistentVolumeClaim, { type, min, max }: LimitRangeItem): string[] {
  if (type !== 'PersistentVolumeClaim') return [];
  const storage = spec?.resources?.requests?.storage ?? '0';
  const [least, most] = [min?.storage, max?.storage];
  if (least !== undefined && compareQuantities(storage, least) < 0)
    return [`minimum storage usage per ${type} is ${least}, but request is ${storage}`];
  if (most !== undefined && compareQuantities(storage, most) > 0)
    return [`maximum storage usage per ${type} is ${most}, but request is ${storage}`];
  return [];
}
