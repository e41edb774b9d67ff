import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { persistentVolumes } from './persistentVolume.ts';
import { persistentVolumeClaims } from './persistentVolumeClaim.ts';

const metadata = { name: 'v', namespace: 'default' };
const selector = (key: string) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: ['a'] }] }] },
});
const hostPath = { path: '/data' };
const csi = { driver: 'example.com', volumeHandle: 'h' };
const volume = (spec: object) => ({
  metadata: { name: 'v' },
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
});
const claim = (spec: object, more: object = {}) => ({
  metadata: { ...metadata, ...more },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});

describe('a volume with', () => {
  it.each<[string, object, string[]]>([
    ['a path', { hostPath }, []],
    ['no source', {}, ['spec: Required']],
    ['two sources', { hostPath, nfs: { server: 's', path: '/' } }, ['spec.nfs: Forbidden']],
    ['no modes', { hostPath, accessModes: [] }, ['spec.accessModes: Required']],
    ['an odd mode', { hostPath, accessModes: ['x'] }, ['spec.accessModes: NotSupported']],
    [
      'a mode for one pod, and more',
      { hostPath, accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] },
      ['spec.accessModes: Forbidden'],
    ],
    ['no size', { hostPath, capacity: {} }, ['spec.capacity: Required', 'spec.capacity: NotSupported']],
    ['a size of nothing', { hostPath, capacity: { storage: '0' } }, ['spec.capacity[storage]: Invalid']],
    ['another resource', { hostPath, capacity: { cpu: '1' } }, ['spec.capacity: NotSupported']],
    [
      'an odd policy',
      { hostPath, persistentVolumeReclaimPolicy: 'x' },
      ['spec.persistentVolumeReclaimPolicy: NotSupported'],
    ],
    [
      'everything to be recycled',
      { hostPath: { path: '/x/..' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ['spec.persistentVolumeReclaimPolicy: Forbidden', 'spec.hostPath.path: Invalid'].reverse(),
    ],
    ['a local path from anywhere', { local: { path: '/x' } }, ['spec.nodeAffinity: Required']],
    ['a local path from one node', { local: { path: '/x' }, nodeAffinity: selector('a') }, []],
    [
      'no terms',
      { hostPath, nodeAffinity: { required: { nodeSelectorTerms: [] } } },
      ['spec.nodeAffinity.required.nodeSelectorTerms: Required'],
    ],
    ['an affinity that says nothing', { hostPath, nodeAffinity: {} }, ['spec.nodeAffinity.required: Required']],
    [
      'a driver without a name',
      { csi: { volumeHandle: 'x', nodePublishSecretRef: {} } },
      [
        'spec.csi.driver: Required',
        'spec.csi.nodePublishSecretRef.name: Required',
        'spec.csi.nodePublishSecretRef.namespace: Required',
      ],
    ],
    ['attributes without a driver', { hostPath, volumeAttributesClassName: 'a' }, ['spec.csi: Required']],
    [
      'iSCSI that is none',
      { iscsi: { targetPortal: 'x', iqn: 'y', lun: 256, chapAuthSession: true } },
      ['spec.iscsi.iqn: Invalid', 'spec.iscsi.lun: Invalid', 'spec.iscsi.secretRef: Required'],
    ],
    ['iSCSI', { iscsi: { targetPortal: 'x', iqn: 'iqn.2015-02.example.com:test', lun: 0 } }, []],
    [
      'options of the system',
      { flexVolume: { driver: 'd', options: { 'a.k8s.io/x': 'y' } } },
      ['spec.flexVolume.options[a.k8s.io/x]: Invalid'],
    ],
    ['fibre channel to nowhere', { fc: {} }, ['spec.fc.targetWWNs: Required']],
    ['an NFS path that is none', { nfs: { server: 's', path: 'x' } }, ['spec.nfs.path: Invalid']],
  ])('%s', (_what, spec, faults) => {
    expect(createFaults(persistentVolumes, volume(spec))).toEqual(faults);
  });
});

describe('an update of a volume', () => {
  it.each<[string, object, object, string[]]>([
    ['of its class', { hostPath }, { hostPath, storageClassName: 'x' }, []],
    ['of where it is', { hostPath }, { hostPath: { path: '/x' } }, ['spec.persistentvolumesource: Forbidden']],
    ['to another source', { hostPath }, { csi }, ['spec.persistentvolumesource: Forbidden']],
    ['of its mode', { hostPath }, { hostPath, volumeMode: 'Block' }, ['volumeMode: Invalid']],
    [
      'with the secret for growing',
      { csi },
      { csi: { ...csi, controllerExpandSecretRef: { name: 'a', namespace: 'b' } } },
      [],
    ],
    ['with an affinity', { hostPath }, { hostPath, nodeAffinity: selector('a') }, []],
    [
      'to another affinity',
      { hostPath, nodeAffinity: selector('a') },
      { hostPath, nodeAffinity: selector('b') },
      ['nodeAffinity: Invalid'],
    ],
    [
      'to the new name of a label',
      { hostPath, nodeAffinity: selector('beta.kubernetes.io/os') },
      { hostPath, nodeAffinity: selector('kubernetes.io/os') },
      [],
    ],
    [
      'without its attributes',
      { csi, volumeAttributesClassName: 'a' },
      { csi },
      ['spec.volumeAttributesClassName: Forbidden'],
    ],
  ])('%s', (_what, before, after, faults) => {
    expect(updated(persistentVolumes, persistentVolumes.update, volume(before), volume(after)).faults).toEqual(faults);
  });
});

describe('a claim with', () => {
  it.each<[string, object, string[]]>([
    ['what it needs', {}, []],
    ['no modes', { accessModes: [] }, ['spec.accessModes: Required']],
    ['no size', { resources: {} }, ['spec.resources[storage]: Required']],
    ['a size below nothing', { resources: { requests: { storage: '-1' } } }, ['spec.resources[storage]: Invalid']],
    ['an odd mode', { volumeMode: 'x' }, ['spec.volumeMode: NotSupported']],
    ['a class that is no name', { storageClassName: 'A' }, ['spec.storageClassName: Invalid']],
    ['no class', { storageClassName: '' }, []],
    ['a claim to copy', { dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } }, []],
    [
      'nothing to copy',
      { dataSourceRef: { kind: 'Secret' } },
      [
        'dataSource.name: Required',
        'dataSource: Invalid',
        'dataSourceRef.name: Required',
        'dataSourceRef: Invalid',
      ].map((fault) => `spec.${fault}`),
    ],
    [
      'two things to copy',
      {
        dataSource: { kind: 'PersistentVolumeClaim', name: 'x' },
        dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'y' },
      },
      ['spec: Invalid'],
    ],
    [
      'an odd selector',
      { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      ['spec.selector.matchExpressions[0].values: Required'],
    ],
  ])('%s', (_what, spec, faults) => {
    expect(createFaults(persistentVolumeClaims, claim(spec))).toEqual(faults);
  });

  it('a source has it under both names; an older client cannot name another kind, nor anybody a namespace', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'x' };
    const filled = { dataSource: source, dataSourceRef: source };
    expect(created(persistentVolumeClaims, claim({ dataSource: source })).spec).toMatchObject(filled);
    const made = created(persistentVolumeClaims, claim({ dataSourceRef: { ...source, namespace: 'other' } })).spec;
    expect(made).toMatchObject(filled);
    expect(made?.dataSourceRef).not.toHaveProperty('namespace');
    const odd = { kind: 'Odd', apiGroup: 'example.com', name: 'x' };
    expect(created(persistentVolumeClaims, claim({ dataSource: odd })).spec).not.toHaveProperty('dataSource');
  });
});

describe('an update of a claim', () => {
  const size = (storage: string) => ({ resources: { requests: { storage } } });
  const beta = { annotations: { 'volume.beta.kubernetes.io/storage-class': 'a' } };

  it.each<[string, object, object, object, string[]]>([
    ['with its volume', {}, claim({}), claim({ volumeName: 'v' }), []],
    ['to another volume', {}, claim({ volumeName: 'v' }), claim({ volumeName: 'w' }), ['spec: Forbidden']],
    ['that grows, unbound', {}, claim({}), claim(size('2Gi')), ['spec: Forbidden']],
    ['that grows', { phase: 'Bound' }, claim({}), claim(size('2Gi')), []],
    [
      'that takes back what it did not get',
      { phase: 'Bound', capacity: { storage: '1Gi' } },
      claim(size('3Gi')),
      claim(size('2Gi')),
      [],
    ],
    [
      'that shrinks',
      { phase: 'Bound', capacity: { storage: '2Gi' } },
      claim(size('2Gi')),
      claim(size('1Gi')),
      ['spec.resources.requests.storage: Forbidden'],
    ],
    ['of its modes', {}, claim({}), claim({ accessModes: ['ReadOnlyMany'] }), ['spec: Forbidden']],
    ['of its mode', {}, claim({}), claim({ volumeMode: 'Block' }), ['spec: Forbidden', 'volumeMode: Invalid']],
    ['with a class', {}, claim({}), claim({ storageClassName: 'a' }), []],
    ['to another class', {}, claim({ storageClassName: 'a' }), claim({ storageClassName: 'b' }), ['spec: Forbidden']],
    ['that moves its class', {}, claim({}, beta), claim({ storageClassName: 'a' }), []],
    [
      'of its noted class',
      {},
      claim({}, beta),
      claim({}),
      ['metadata.annotations[volume.beta.kubernetes.io/storage-class]: Invalid'],
    ],
    ['of its attributes', {}, claim({ volumeAttributesClassName: 'a' }), claim({ volumeAttributesClassName: 'b' }), []],
    [
      'without its attributes',
      {},
      claim({ volumeAttributesClassName: 'a' }),
      claim({}),
      ['spec.volumeAttributesClassName: Forbidden'],
    ],
  ])('%s', (_what, status, before, after, faults) => {
    const old = { ...created(persistentVolumeClaims, before), status };
    const object = { ...created(persistentVolumeClaims, after), status };
    const found = persistentVolumeClaims.update?.validate?.(object, old) ?? [];
    expect(found.map((e) => `${e.field}: ${e.type.replace('FieldValue', '')}`)).toEqual(faults);
  });

  it('of its status knows the steps of growing', () => {
    const status = {
      capacity: { storage: '-1' },
      allocatedResources: { cpu: '1', 'example.com/x': '1' },
      allocatedResourceStatuses: { storage: 'Odd' },
    };
    expect(
      updated(persistentVolumeClaims, persistentVolumeClaims.status, claim({}), { ...claim({}), status }).faults,
    ).toEqual([
      'status.capacity[storage]: Invalid',
      'status.allocatedResourceStatus: NotSupported',
      'status.allocatedResources: NotSupported',
    ]);
  });
});

describe('what is shown of', () => {
  it('a volume', () => {
    const object = created(
      persistentVolumes,
      volume({ hostPath, accessModes: ['ReadOnlyMany', 'ReadWriteOnce'], claimRef: { namespace: 'a', name: 'b' } }),
    );
    expect((tableRow(persistentVolumes, object, 0, 'None') as { cells: unknown[] }).cells).toEqual([
      'v',
      '1Gi',
      'RWO,ROX',
      'Retain',
      'Pending',
      'a/b',
      '',
      '<unset>',
      '',
      '<unknown>',
      'Filesystem',
    ]);
  });

  it('a claim', () => {
    const object = created(persistentVolumeClaims, claim({ storageClassName: 's' }));
    const cells = () => (tableRow(persistentVolumeClaims, object, 0, 'None') as { cells: unknown[] }).cells;
    expect(cells()).toEqual(['v', 'Pending', '', '', '', 's', '<unset>', '<unknown>', 'Filesystem']);
    if (object.spec !== undefined) object.spec.volumeName = 'pv';
    object.status = { phase: 'Bound', capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOncePod'] };
    expect(cells()).toEqual(['v', 'Bound', 'pv', '2Gi', 'RWOP', 's', '<unset>', '<unknown>', 'Filesystem']);
  });
});

describe('warnings', () => {
  it('of what is deprecated, or odd', () => {
    const object = created(persistentVolumes, volume({ hostPath, persistentVolumeReclaimPolicy: 'Recycle' }));
    expect(persistentVolumes.warnings?.(object)).toEqual([expect.stringContaining('Recycle reclaim policy')]);
    const half = created(persistentVolumeClaims, claim({ resources: { requests: { storage: '500m' } } }));
    expect(persistentVolumeClaims.warnings?.(half)).toEqual([expect.stringContaining('fractional byte value "500m"')]);
  });
});
