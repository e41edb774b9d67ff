import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults } from '../testing/create.ts';
import { fromV2, toV2 } from './conversion.ts';
import { type HorizontalPodAutoscaler, horizontalPodAutoscalers as kind } from './horizontalPodAutoscaler.ts';

const TARGET = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const autoscaler = (spec: object = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { scaleTargetRef: TARGET, maxReplicas: 3, ...spec },
});
const share = (averageUtilization: number) => ({ type: 'Utilization', averageUtilization });
const EXTERNAL = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
};
const resource = (target: object) => ({ type: 'Resource', resource: { name: 'cpu', target } });

describe('a horizontal pod autoscaler', () => {
  it.each<[string, object, string[]]>([
    ['as it may be', {}, []],
    [
      'no target',
      { scaleTargetRef: { kind: '', name: '' } },
      ['spec.scaleTargetRef.kind: Required', 'spec.scaleTargetRef.name: Required'],
    ],
    ['fewer than one', { minReplicas: 0 }, ['spec.minReplicas: Invalid']],
    ['fewer than one, by what is measured elsewhere', { minReplicas: 0, metrics: [EXTERNAL] }, []],
    ['fewer than none', { minReplicas: -1, metrics: [EXTERNAL] }, ['spec.minReplicas: Invalid']],
    ['more at least than at most', { minReplicas: 4 }, ['spec.maxReplicas: Invalid']],
    ['nothing at most', { maxReplicas: 0 }, ['spec.maxReplicas: Invalid', 'spec.maxReplicas: Invalid']],
    ['no such metric', { metrics: [{ type: 'x' }] }, ['spec.metrics[0].type: NotSupported']],
    ['no source', { metrics: [{ type: 'Pods' }] }, ['spec.metrics[0].pods: Required']],
    [
      'two sources',
      { metrics: [{ ...resource(share(5)), pods: { metric: { name: 'a' }, target: share(1) } }] },
      ['spec.metrics[0].pods: Forbidden', 'spec.metrics[0].pods.target.averageValue: Required'],
    ],
    [
      'nothing to reach',
      { metrics: [resource({ type: 'Value' })] },
      ['spec.metrics[0].resource.target.averageUtilization: Required'],
    ],
    [
      'less than nothing',
      { metrics: [resource(share(0))] },
      ['spec.metrics[0].resource.target.averageUtilization: Invalid'],
    ],
    [
      'a rule without sense',
      { behavior: { scaleUp: { selectPolicy: 'x', policies: [{ type: 'Pods', value: 0, periodSeconds: 2000 }] } } },
      [
        'spec.behavior.scaleUp.selectPolicy: NotSupported',
        'spec.behavior.scaleUp.policies[0].value: Invalid',
        'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid',
      ],
    ],
  ])('with %s', (_what, spec, faults) => {
    expect(createFaults(kind, autoscaler(spec))).toEqual(faults);
  });

  it('is filled in', () => {
    const { spec } = created(kind, autoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } }));
    expect(spec).toMatchObject({ minReplicas: 1, metrics: [resource(share(80))] });
    expect(spec?.behavior?.scaleUp?.policies).toHaveLength(2);
    expect(spec?.behavior?.scaleDown).toMatchObject({ stabilizationWindowSeconds: 5, selectPolicy: 'Max' });
  });

  it('is shown with what it measures', () => {
    const object = created(
      kind,
      autoscaler({ metrics: [resource(share(50)), resource({ type: 'AverageValue', averageValue: '1' })] }),
    );
    object.status = {
      desiredReplicas: 1,
      currentReplicas: 2,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 10 } } }],
    };
    const { cells } = tableRow(kind, object, 0, 'None') as { cells: unknown[] };
    expect(cells.slice(1, 6)).toEqual(['Deployment/web', 'cpu: 10%/50%, cpu: <unknown>/1', '1', 3, 2]);
  });
});

const quantity = fc.constantFrom('1', '500m', '10Mi');
const identifier = fc.record({ name: fc.constantFrom('a', 'b') });
const metric = fc.oneof(
  fc.record({
    type: fc.constant('Resource'),
    resource: fc.record({ name: fc.constant('memory'), target: fc.integer({ min: 1, max: 90 }).map(share) }),
  }),
  fc.record({
    type: fc.constant('Pods'),
    pods: fc.record({
      metric: identifier,
      target: quantity.map((averageValue) => ({ type: 'AverageValue', averageValue })),
    }),
  }),
  fc.record({
    type: fc.constant('Object'),
    object: fc.record({
      metric: identifier,
      describedObject: fc.constant({ kind: 'Service', name: 'web', apiVersion: 'v1' }),
      target: fc.oneof(
        quantity.map((averageValue) => ({ type: 'AverageValue', averageValue })),
        quantity.map((value) => ({ type: 'Value', value })),
      ),
    }),
  }),
  fc.record({
    type: fc.constant('External'),
    external: fc.record({ metric: identifier, target: quantity.map((value) => ({ type: 'Value', value })) }),
  }),
);

describe('the older version', () => {
  it('loses nothing on the way there and back', () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 3 }), fc.option(fc.integer({ min: 1, max: 99 })), (metrics, cpu) => {
        const all = cpu === null ? metrics : [resource(share(cpu)), ...metrics];
        const object = created(
          kind,
          autoscaler({ ...(all.length === 0 ? {} : { metrics: all }) }),
        ) as HorizontalPodAutoscaler;
        object.status = { currentReplicas: 2, desiredReplicas: 3 };
        expect(toV2(fromV2(object))).toEqual({ ...object, apiVersion: 'autoscaling/v2' });
      }),
      { numRuns: 100 },
    );
  });

  it('has cpu in a field of its own, and is not thrown at by what somebody wrote into its annotations', () => {
    const v1 = fromV2(created(kind, autoscaler()) as HorizontalPodAutoscaler);
    expect(v1.spec).toMatchObject({ targetCPUUtilizationPercentage: 80, maxReplicas: 3 });
    const annotations = {
      'autoscaling.alpha.kubernetes.io/metrics': '[1, {"type":"Pods","pods":{}}, {}]',
      'autoscaling.alpha.kubernetes.io/behavior': '{',
    };
    expect(toV2({ ...v1, metadata: { name: 'web', annotations } }).spec?.behavior).toBeUndefined();
  });
});
