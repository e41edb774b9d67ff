import { describe, expect, it } from 'vitest';
import type { Kind } from '../../machinery/kind.ts';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { csiDrivers } from './csiDriver.ts';
import { csiNodes } from './csiNode.ts';
import { csiStorageCapacities } from './csiStorageCapacity.ts';
import { storageClasses } from './storageClass.ts';
import { volumeAttachments } from './volumeAttachment.ts';
import { volumeAttributesClasses } from './volumeAttributesClass.ts';

const metadata = { name: 'a' };
const storage = (more: object = {}) => ({ metadata, provisioner: 'example.com/p', ...more });
const zones = (...values: string[]) => ({ matchLabelExpressions: [{ key: 'zone', values }] });
const attributes = (more: object = {}) => ({ metadata, driverName: 'example.com', parameters: { a: 'b' }, ...more });
const driver = (spec: object = {}) => ({ metadata, spec });
const node = (...drivers: object[]) => ({ metadata, spec: { drivers } });
const capacity = (more: object = {}) => ({ metadata, storageClassName: 's', ...more });
const attachment = (spec: object = {}) => ({
  metadata,
  spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' }, ...spec },
});
const inline = { accessModes: ['ReadWriteOnce'], csi: { driver: 'example.com', volumeHandle: 'h' } };

describe('what is wrong with', () => {
  it.each<[string, Kind, object, string[]]>([
    ['a class', storageClasses, storage(), []],
    ['a class of nobody', storageClasses, storage({ provisioner: '' }), ['provisioner: Required']],
    [
      'odd policies',
      storageClasses,
      storage({ reclaimPolicy: 'Recycle', volumeBindingMode: 'x' }),
      ['reclaimPolicy: NotSupported', 'volumeBindingMode: NotSupported'],
    ],
    [
      'too many parameters',
      storageClasses,
      storage({ parameters: Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`p${i}`, ''])) }),
      ['parameters: TooLong'],
    ],
    [
      'too long a parameter',
      storageClasses,
      storage({ parameters: { a: 'x'.repeat(262144) } }),
      ['parameters: TooLong'],
    ],
    [
      'places said twice',
      storageClasses,
      storage({ allowedTopologies: [zones('a', 'b'), zones('b', 'a'), zones()] }),
      [
        'allowedTopologies[1].matchLabelExpressions: Duplicate',
        'allowedTopologies[2].matchLabelExpressions[0].values: Required',
      ],
    ],
    ['attributes', volumeAttributesClasses, attributes(), []],
    ['attributes of none', volumeAttributesClasses, attributes({ parameters: {} }), ['parameters: Required']],
    ['a driver', csiDrivers, driver(), []],
    ['a driver that says nothing', csiDrivers, { metadata }, []],
    [
      'an odd driver',
      csiDrivers,
      driver({ fsGroupPolicy: 'x', volumeLifecycleModes: ['y'], nodeAllocatableUpdatePeriodSeconds: 9 }),
      [
        'spec.fsGroupPolicy: NotSupported',
        'spec.volumeLifecycleModes: NotSupported',
        'spec.nodeAllocatableUpdatePeriodSeconds: Invalid',
      ],
    ],
    [
      'tokens asked for twice, and for a moment',
      csiDrivers,
      driver({ tokenRequests: [{ audience: 'a', expirationSeconds: 1 }, { audience: 'a' }] }),
      ['spec.tokenRequests[0].expirationSeconds: Invalid', 'spec.tokenRequests[1].audience: Duplicate'],
    ],
    [
      'where tokens go that are not asked for',
      csiDrivers,
      driver({ serviceAccountTokenInSecrets: true }),
      ['spec.serviceAccountTokenInSecrets: Invalid'],
    ],
    ['a node', csiNodes, node({ name: 'd', nodeID: 'n', topologyKeys: ['zone'] }), []],
    [
      'a node with a driver twice',
      csiNodes,
      node({ name: 'd', nodeID: 'n' }, { name: 'd', allocatable: { count: -1 }, topologyKeys: ['', 'z', 'z'] }),
      [
        'spec.drivers[1].nodeID: Required',
        'spec.drivers[1].allocatable.count: Invalid',
        'spec.drivers[1].name: Duplicate',
        'spec.drivers[1]: Required',
        'spec.drivers[1]: Invalid',
        'spec.drivers[1]: Invalid',
        'spec.drivers[1]: Duplicate',
      ],
    ],
    [
      'less than no capacity, of no class',
      csiStorageCapacities,
      capacity({ storageClassName: '', capacity: '-1' }),
      ['storageClassName: Invalid', 'capacity: Invalid'],
    ],
    ['an attachment', volumeAttachments, attachment(), []],
    [
      'an attachment of a volume that stands in it',
      volumeAttachments,
      attachment({ source: { inlineVolumeSpec: inline } }),
      [],
    ],
    ['an attachment of nothing', volumeAttachments, attachment({ source: {} }), ['spec.source: Required']],
    [
      'an attachment of two',
      volumeAttachments,
      attachment({ source: { persistentVolumeName: 'pv', inlineVolumeSpec: inline } }),
      ['spec.source: Forbidden'],
    ],
    [
      'a volume in an attachment that says too much',
      volumeAttachments,
      attachment({ source: { inlineVolumeSpec: { ...inline, capacity: { storage: '1' }, volumeMode: 'Block' } } }),
      ['spec.source.inlineVolumeSpec.capacity: Forbidden', 'spec.source.inlineVolumeSpec.volumeMode: Forbidden'],
    ],
    [
      'an attachment to nowhere, by nobody',
      volumeAttachments,
      attachment({ attacher: '', nodeName: '' }),
      ['spec.attacher: Required', 'spec.nodeName: Invalid'],
    ],
  ])('%s', (_what, kind, json, faults) => {
    expect(createFaults(kind, json)).toEqual(faults);
  });
});

describe('what changes of', () => {
  it.each<[string, Kind, object, object, string[]]>([
    ['a class that may grow', storageClasses, storage(), storage({ allowVolumeExpansion: true }), []],
    [
      'a class, and what never does',
      storageClasses,
      storage(),
      storage({
        provisioner: 'q',
        parameters: { a: 'b' },
        reclaimPolicy: 'Retain',
        volumeBindingMode: 'WaitForFirstConsumer',
      }),
      ['parameters: Forbidden', 'provisioner: Forbidden', 'reclaimPolicy: Forbidden', 'volumeBindingMode: Invalid'],
    ],
    [
      'attributes',
      volumeAttributesClasses,
      attributes(),
      attributes({ driverName: 'x', parameters: { a: 'c' } }),
      ['driverName: Forbidden', 'parameters: Forbidden'],
    ],
    [
      'a driver',
      csiDrivers,
      driver(),
      driver({ attachRequired: false, volumeLifecycleModes: ['Ephemeral'], podInfoOnMount: true }),
      ['spec.attachedRequired: Invalid', 'spec.volumeLifecycleModes: Invalid'],
    ],
    [
      'how many volumes a node takes',
      csiNodes,
      node({ name: 'd', nodeID: 'n' }),
      node({ name: 'd', nodeID: 'n', allocatable: { count: 3 } }),
      [],
    ],
    ['a node', csiNodes, node({ name: 'd', nodeID: 'n' }), node({ name: 'd', nodeID: 'm' }), ['spec.drivers: Invalid']],
    [
      'a capacity',
      csiStorageCapacities,
      capacity(),
      capacity({ storageClassName: 't', nodeTopology: {}, capacity: '1' }),
      ['nodeTopology: Invalid', 'storageClassName: Invalid'],
    ],
    ['an attachment', volumeAttachments, attachment(), attachment({ nodeName: 'm' }), ['spec: Invalid']],
  ])('%s', (_what, kind, before, after, faults) => {
    expect(updated(kind, kind.update, before, after).faults).toEqual(faults);
  });

  it('the status of an attachment, within bounds', () => {
    const status = { attached: true, attachError: { message: 'x'.repeat(1025), errorCode: -1 } };
    const { object, faults } = updated(volumeAttachments, volumeAttachments.status, attachment(), {
      ...attachment({ nodeName: 'm' }),
      status,
    });
    expect(object.spec.nodeName).toBe('n');
    expect(faults).toEqual(['status.attachError.message: TooLong', 'status.attachError.errorCode: Invalid']);
  });
});

describe('what is shown of', () => {
  const isDefault = { name: 'a', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } };
  it.each<[string, Kind, object, unknown[]]>([
    ['a class', storageClasses, storage(), ['a', 'example.com/p', 'Delete', 'Immediate', false, '<unknown>']],
    [
      'the default class',
      storageClasses,
      storage({ metadata: isDefault }),
      ['a (default)', 'example.com/p', 'Delete', 'Immediate', false, '<unknown>'],
    ],
    ['attributes', volumeAttributesClasses, attributes(), ['a', 'example.com', '<unknown>']],
    ['a driver', csiDrivers, driver(), ['a', true, false, false, '<unset>', false, 'Persistent', '<unknown>']],
    ['a node', csiNodes, node({ name: 'd' }), ['a', 1, '<unknown>']],
    ['a capacity', csiStorageCapacities, capacity({ capacity: '1Gi' }), ['a', 's', '1Gi']],
    ['no capacity', csiStorageCapacities, capacity(), ['a', 's', '<unset>']],
    ['an attachment', volumeAttachments, attachment(), ['a', 'example.com', 'pv', 'n', false, '<unknown>']],
  ])('%s', (_what, kind, json, cells) => {
    expect((tableRow(kind, created(kind, json), 0, 'None') as { cells: unknown[] }).cells).toEqual(cells);
  });
});
