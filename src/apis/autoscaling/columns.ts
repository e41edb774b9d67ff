/** How `kubectl get hpa` shows an autoscaler. */
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricValueStatus,
} from './horizontalPodAutoscaler.ts';

/** So many targets are shown. */
const MAX_TARGETS = 2;

/** `Deployment/web` */
export function referenceText({ spec }: HorizontalPodAutoscaler): string {
  return `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`;
}

/** `cpu: 10%/50%, memory: <unknown>/100Mi` */
export function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  const shown = metrics.slice(0, MAX_TARGETS).map((metric, i) => targetText(metric, status?.currentMetrics?.[i]));
  const more = metrics.length - shown.length;
  return more > 0 ? `${shown.join(', ')} + ${more} more...` : shown.join(', ');
}

function targetText(metric: MetricSpec, told: MetricStatus | undefined): string {
  const { resource, containerResource, pods, object, external } = metric;
  const unknown = '<unknown>';
  const amount = (current: MetricValueStatus | undefined, average: boolean) =>
    (average ? current?.averageValue : current?.value) ?? unknown;
  if (resource !== undefined || containerResource !== undefined) {
    const { name, target } = resource ?? (containerResource as NonNullable<typeof containerResource>);
    const current = resource === undefined ? told?.containerResource?.current : told?.resource?.current;
    if (target?.averageValue !== undefined)
      return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
    const used = current?.averageUtilization;
    const wanted = target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
    return `${name}: ${used === undefined ? unknown : `${used}%`}/${wanted}`;
  }
  if (pods !== undefined) return `${amount(told?.pods?.current, true)}/${pods.target?.averageValue ?? ''}`;
  if (object !== undefined) {
    const average = object.target?.averageValue !== undefined;
    const wanted = average ? `${object.target?.averageValue} (avg)` : (object.target?.value ?? '');
    return `${amount(told?.object?.current, average)}/${wanted}`;
  }
  if (external !== undefined) {
    const average = external.target?.averageValue !== undefined;
    const wanted = average ? `${external.target?.averageValue} (avg)` : (external.target?.value ?? '');
    return `${amount(told?.external?.current, average)}/${wanted}`;
  }
  return '<unknown type>';
}
