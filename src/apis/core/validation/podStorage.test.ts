import { describe, expect, it } from 'vitest';
import { createFaults } from '../../testing/create.ts';
import { container, pod } from '../../testing/pods.ts';
import { pods } from '../pod.ts';

const V = 'spec.volumes[0]';
const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };

describe('volumes of storage systems', () => {
  it.each<[object, string[]]>([
    [{ gitRepo: { repository: 'a', directory: '../x' } }, ['gitRepo.directory: Invalid']],
    [{ iscsi: { targetPortal: 'a', iqn: 'x', lun: 300 } }, ['iscsi.iqn: Invalid', 'iscsi.lun: Invalid']],
    [{ iscsi: { targetPortal: 'a', iqn: 'iqn.2026-01.com.example:a', lun: 0 } }, []],
    [
      { azureDisk: { diskName: 'a', diskURI: 'x', cachingMode: 'Some', kind: 'Shared' } },
      ['azureDisk.cachingMode: NotSupported', 'azureDisk.diskURI: NotSupported'],
    ],
    [{ csi: {} }, ['csi.driver: Required']],
    [
      { csi: { driver: 'a_b', nodePublishSecretRef: {} } },
      ['csi.driver: Invalid', 'csi.nodePublishSecretRef.name: Required'],
    ],
    [{ fc: {} }, ['fc.targetWWNs: Required']],
    [{ fc: { targetWWNs: ['a'] } }, ['fc.lun: Required']],
    [
      { flexVolume: { driver: 'a/b', options: { 'kubernetes.io/x': '1' } } },
      ['flexVolume.options[kubernetes.io/x]: Invalid'],
    ],
    [{ flocker: {} }, ['flocker: Required']],
    [{ storageos: { volumeName: 'A_' } }, ['storageos.volumeName: Invalid']],
    [{ awsElasticBlockStore: { volumeID: 'a', partition: 256 } }, ['awsElasticBlockStore.partition: Invalid']],
    [{ cinder: { volumeID: 'a', secretRef: {} } }, ['cinder.secretRef.name: Required']],
    [{ quobyte: { registry: 'a', volume: 'v' } }, ['quobyte.registry: Invalid']],
    [{ azureFile: {} }, ['azureFile.secretName: Required', 'azureFile.shareName: Required']],
    [{ cephfs: {} }, ['cephfs.monitors: Required']],
    [
      { gcePersistentDisk: { partition: 300 } },
      ['gcePersistentDisk.pdName: Required', 'gcePersistentDisk.partition: Invalid'],
    ],
    [{ glusterfs: {} }, ['glusterfs.endpoints: Required', 'glusterfs.path: Required']],
    [{ photonPersistentDisk: {} }, ['photonPersistentDisk.pdID: Required']],
    [{ portworxVolume: {} }, ['portworxVolume.volumeID: Required']],
    [{ rbd: {} }, ['rbd.monitors: Required', 'rbd.image: Required']],
    [{ scaleIO: {} }, ['scaleIO.gateway: Required', 'scaleIO.system: Required', 'scaleIO.secretRef: Required']],
    [{ vsphereVolume: {} }, ['vsphereVolume.volumePath: Required']],
    [
      { image: { reference: ' a', pullPolicy: 'Often' } },
      ['image.reference: Invalid', 'image.pullPolicy: NotSupported'],
    ],
    [{ nfs: { server: 's', path: 'relative', readOnly: true } }, ['nfs.path: Invalid']],
    [{ ephemeral: { volumeClaimTemplate: { ...claim, metadata: { labels: { a: 'b' } } } } }, []],
    [
      { ephemeral: { volumeClaimTemplate: { ...claim, metadata: { name: 'a', labels: { 'a b': 'c' } } } } },
      [
        'ephemeral.volumeClaimTemplate.metadata.labels: Invalid',
        'ephemeral.volumeClaimTemplate.metadata.name: Forbidden',
      ],
    ],
  ])('%j', (source, expected) => {
    const faults = createFaults(pods, pod({ volumes: [{ name: 'v', ...source }] }));
    expect(faults).toEqual(expected.map((fault) => `${V}.${fault}`));
  });

  it('a token needs somebody to speak for', () => {
    const volumes = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
    expect(createFaults(pods, pod({ volumes }))).toEqual([`${V}.projected.sources[0].serviceAccountToken: Forbidden`]);
    expect(createFaults(pods, pod({ volumes, serviceAccountName: 'default' }))).toEqual([]);
  });

  it.each<[string, object, object, string[]]>([
    ['that is not there', {}, {}, ['volumeName: NotFound']],
    ['that others write, too', { configMap: { name: 'c' } }, {}, ['volumeName: Invalid']],
    ['of the pod', { emptyDir: {} }, { optional: true }, []],
    ['outside of the volume', { emptyDir: {} }, { path: '../x' }, ['path: Invalid']],
  ])('a variable in a file of a volume %s', (_name, source, more, expected) => {
    const env = [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'env', key: 'A', ...more } } }];
    const volumes = Object.keys(source).length === 0 ? [] : [{ name: 'v', ...source }];
    const faults = createFaults(pods, pod({ volumes, containers: [container({ env })] }));
    expect(faults).toEqual(expected.map((fault) => `spec.containers[0].env[0].valueFrom.fileKeyRef.${fault}`));
  });
});

describe('amounts', () => {
  it.each<[object, string[]]>([
    [{ overhead: { cpu: '-1' } }, ['spec.overhead.limits[cpu]: Invalid']],
    [{ overhead: { 'a b': '1' } }, ['spec.overhead.limits[a b]: Invalid', 'spec.overhead.limits[a b]: Invalid']],
    [{ overhead: { cpu: '100m', memory: '10Mi' } }, []],
    [
      { containers: [container({ resources: { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' } } })] },
      ['limits', 'requests'].map((of) => `spec.containers[0].resources.${of}[hugepages-2Mi]: Invalid`),
    ],
  ])('%j', (spec, expected) => {
    expect([...new Set(createFaults(pods, pod(spec)))]).toEqual([...new Set(expected)]);
  });
});
