import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { container, podSpec, workloadSpec } from '../testing/pods.ts';
import { type StatefulSet, statefulSets } from './statefulSet.ts';

const claim = (more: object = {}) => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more },
});
const mounting = {
  metadata: { labels: { app: 'web' } },
  spec: podSpec({ containers: [container({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })] }),
};
const set = (more: object = {}) => ({ metadata: { name: 'web', namespace: 'default' }, spec: workloadSpec(more) });

describe('a stateful set', () => {
  it('is defaulted', () => {
    const object = created(statefulSets, set({ minReadySeconds: 0, volumeClaimTemplates: [claim()] }));
    expect(object.spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' } },
    });
    expect(object.spec?.volumeClaimTemplates?.[0]).toMatchObject({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    });
    expect(object.spec).not.toHaveProperty('minReadySeconds');
    expect(object.status).toEqual({ replicas: 0 });
  });

  it('whose pods change when they are deleted has no rolling update', () => {
    expect(created(statefulSets, set({ updateStrategy: { type: 'OnDelete' } })).spec?.updateStrategy).toEqual({
      type: 'OnDelete',
    });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['a claim that its pods mount', { volumeClaimTemplates: [claim()], template: mounting }, []],
    ['a mount of nothing', { template: mounting }, ['spec.template.spec.containers[0].volumeMounts[0].name: NotFound']],
    ['no selector', { selector: undefined }, ['spec.selector: Required']],
    ['a selector for all', { selector: {} }, ['spec.selector: Invalid']],
    ['no template', { template: undefined }, ['spec.template: Required']],
    ['a selector for others', { selector: { matchLabels: { app: 'b' } } }, ['spec.template.metadata.labels: Invalid']],
    [
      'numbers below nothing',
      { replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1, ordinals: { start: -1 } },
      [
        'spec.replicas: Invalid',
        'spec.minReadySeconds: Invalid',
        'spec.revisionHistoryLimit: Invalid',
        'spec.ordinals.start: Invalid',
      ],
    ],
    ['an odd policy', { podManagementPolicy: 'x' }, ['spec.podManagementPolicy: Invalid']],
    ['an odd strategy', { updateStrategy: { type: 'x' } }, ['spec.updateStrategy: Invalid']],
    [
      'a rolling update where none rolls',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } },
      ['spec.updateStrategy.rollingUpdate: Invalid'],
    ],
    [
      'a rolling update that cannot begin',
      { updateStrategy: { rollingUpdate: { partition: -1, maxUnavailable: '0%' } } },
      [
        'spec.updateStrategy.rollingUpdate.partition: Invalid',
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid',
      ],
    ],
    [
      'a rolling update of more than all',
      { updateStrategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      ['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid'],
    ],
    [
      'an odd retention',
      { persistentVolumeClaimRetentionPolicy: { whenScaled: 'x' } },
      ['spec.persistentVolumeClaimRetentionPolicy.whenScaled: NotSupported'],
    ],
    ['a service of no name', { serviceName: 'A.b' }, ['spec.serviceName: Invalid']],
    [
      'claims that nobody could make',
      { volumeClaimTemplates: [claim({ accessModes: [] }), claim(), { spec: claim().spec }] },
      [
        'spec.volumeClaimTemplates[0].spec.accessModes: Required',
        'spec.volumeClaimTemplates[1].metadata.name: Duplicate',
        'spec.volumeClaimTemplates[2].metadata.name: Required',
      ],
    ],
    [
      'pods that end',
      { template: { metadata: { labels: { app: 'web' } }, spec: podSpec({ restartPolicy: 'Never' }) } },
      ['spec.template.spec.restartPolicy: NotSupported'],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(statefulSets, set(more))).toEqual(expected);
  });

  it('is named as a host may be', () => {
    expect(statefulSets.nameRule?.('a.b')).not.toEqual([]);
    expect(statefulSets.nameRule?.('a-b')).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['replicas', { replicas: 5 }, []],
    ['ordinals', { ordinals: { start: 5 } }, []],
    ['strategy', { updateStrategy: { type: 'OnDelete' } }, []],
    ['history', { revisionHistoryLimit: 2 }, []],
    ['retention', { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } }, []],
    ['service', { serviceName: 'other' }, ['spec: Forbidden']],
    ['management', { podManagementPolicy: 'Parallel' }, ['spec: Forbidden']],
    ['claims', { volumeClaimTemplates: [claim()] }, ['spec: Forbidden']],
    ['selector', { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }, ['spec: Forbidden']],
  ])('may or may not change its %s', (_what, more, expected) => {
    expect(updated(statefulSets, statefulSets.update, set(), set(more)).faults).toEqual(expected);
  });

  it.each<[string, object, string[]]>([
    ['as they may be', { replicas: 3, readyReplicas: 2, availableReplicas: 1, currentReplicas: 1 }, []],
    ['more ready than there are', { replicas: 1, readyReplicas: 2 }, ['status.readyReplicas: Invalid']],
    [
      'more available than ready',
      { replicas: 2, readyReplicas: 1, availableReplicas: 2 },
      ['status.availableReplicas: Invalid'],
    ],
    [
      'below nothing',
      { replicas: 0, readyReplicas: -1, availableReplicas: -1 },
      ['status.readyReplicas: Invalid', 'status.availableReplicas: Invalid'],
    ],
  ])('counts pods: %s', (_what, status, expected) => {
    const { faults } = updated(statefulSets, statefulSets.status, set(), { ...set(), status });
    expect(faults).toEqual(expected);
  });

  it('shows how many are ready', () => {
    const object: StatefulSet = {
      ...created(statefulSets, set({ replicas: 3 })),
      status: { replicas: 3, readyReplicas: 2 },
    };
    expect(tableRow(statefulSets, object, 0, 'None')).toEqual({
      cells: ['web', '2/3', '<unknown>', 'web', 'nginx:1.25'],
    });
    expect(statefulSets.columns.map((c) => [c.name, c.priority ?? 0])).toEqual([
      ['Name', 0],
      ['Ready', 0],
      ['Age', 0],
      ['Containers', 1],
      ['Images', 1],
    ]);
  });

  it('is scaled', () => {
    const object = created(statefulSets, set({ replicas: 2 }));
    statefulSets.scale?.setSpecReplicas(object, 4);
    expect(statefulSets.scale?.specReplicas(object)).toBe(4);
    expect(statefulSets.scale?.selector(object)).toBe('app=web');
  });
});
