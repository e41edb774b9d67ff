import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { formatTime } from '../../machinery/time.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { container, podSpec, workloadSpec } from '../testing/pods.ts';
import { deployments } from './deployment.ts';

const deployment = (more: object = {}) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: workloadSpec(more),
});
const rolling = (rollingUpdate: object) => ({ strategy: { type: 'RollingUpdate', rollingUpdate } });

describe('a deployment', () => {
  it('is defaulted', () => {
    const { spec, status } = created(deployments, deployment());
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent', resources: {} }] } },
    });
    expect(status).toEqual({});
  });

  it('defaults its template less than a pod', () => {
    const limits = { cpu: '1' };
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: podSpec({ containers: [container({ resources: { limits } })] }),
    };
    const spec = created(deployments, deployment({ template })).spec?.template.spec;
    expect(spec).not.toHaveProperty('enableServiceLinks');
    expect(spec?.containers[0]?.resources).toEqual({ limits });
  });

  it('that recreates has no rolling update', () => {
    expect(created(deployments, deployment({ strategy: { type: 'Recreate' } })).spec?.strategy).toEqual({
      type: 'Recreate',
    });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no selector', { selector: undefined }, ['spec.selector: Required']],
    ['a selector for all', { selector: {} }, ['spec.selector: Invalid']],
    ['a selector for others', { selector: { matchLabels: { app: 'b' } } }, ['spec.template.metadata.labels: Invalid']],
    ['no template', { template: undefined }, ['spec.template: Required']],
    ['replicas below nothing', { replicas: -1 }, ['spec.replicas: Invalid']],
    [
      'neither less nor more',
      rolling({ maxUnavailable: 0, maxSurge: '0%' }),
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid'],
    ],
    ['more than all', rolling({ maxUnavailable: '101%' }), ['spec.strategy.rollingUpdate.maxUnavailable: Invalid']],
    ['words for numbers', rolling({ maxSurge: 'some' }), ['spec.strategy.rollingUpdate.maxSurge: Invalid']],
    ['another strategy', { strategy: { type: 'Hope' } }, ['spec.strategy.type: NotSupported']],
    [
      'both strategies',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ['spec.strategy.rollingUpdate: Forbidden'],
    ],
    ['a deadline before it may be ready', { minReadySeconds: 700 }, ['spec.progressDeadlineSeconds: Invalid']],
    [
      'pods that end',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: podSpec({ restartPolicy: 'Never', activeDeadlineSeconds: 1 }),
        },
      },
      ['spec.template.spec.restartPolicy: NotSupported', 'spec.template.spec.activeDeadlineSeconds: Forbidden'],
    ],
    [
      'faults in its template',
      { template: { metadata: { labels: { app: 'web', 'a b': '' } }, spec: { containers: [{}] } } },
      [
        'spec.template.labels: Invalid',
        'spec.template.spec.containers[0].name: Required',
        'spec.template.spec.containers[0].image: Required',
      ],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(deployments, deployment(more))).toEqual(expected);
  });

  it('keeps its selector, and its status from writes to the spec', () => {
    const matchLabels = { app: 'web', tier: 'a' };
    const template = { metadata: { labels: matchLabels }, spec: podSpec() };
    const change = deployment({ template, selector: { matchLabels } });
    const { object, faults } = updated(deployments, deployments.update, deployment(), {
      ...change,
      status: { replicas: 7 },
    });
    expect(faults).toEqual(['spec.selector: Invalid']);
    expect(object.status).toEqual({});
  });

  it('keeps its spec and labels from writes to the status', () => {
    const write = { ...deployment({ replicas: 9 }), status: { replicas: 1, readyReplicas: 2, availableReplicas: 3 } };
    const { object, faults } = updated(deployments, deployments.status, deployment(), {
      ...write,
      metadata: { name: 'web', labels: { a: 'b' }, annotations: { c: 'd' } },
    });
    expect(object.spec?.replicas).toBe(1);
    expect(object.metadata).toEqual({ name: 'web', annotations: { c: 'd' } });
    expect(faults).toEqual([
      'status.readyReplicas: Invalid',
      'status.availableReplicas: Invalid',
      'status.availableReplicas: Invalid',
    ]);
  });

  it('is scaled', () => {
    const object = created(
      deployments,
      deployment({
        selector: {
          matchLabels: { b: '1', a: '2' },
          matchExpressions: [{ key: 'c', operator: 'In', values: ['y', 'x'] }],
        },
      }),
    );
    deployments.scale?.setSpecReplicas(object, 4);
    expect(deployments.scale?.specReplicas(object)).toBe(4);
    expect(deployments.scale?.selector(object)).toBe('a=2,b=1,c in (x,y)');
  });

  it('is shown', () => {
    const now = Date.UTC(2026, 0, 1);
    const object = created(deployments, deployment({ replicas: 3 }));
    object.metadata = { ...object.metadata, creationTimestamp: formatTime(now - 90_000) };
    object.status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 };
    expect(tableRow(deployments, object, now, 'None')).toEqual({
      cells: ['web', '2/3', 3, 2, '90s', 'web', 'nginx:1.25', 'app=web'],
    });
  });
});
