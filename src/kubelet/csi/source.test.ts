import { describe, expect, it } from 'vitest';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { CSIDriver } from '../../apis/storage/csiDriver.ts';
import { ACCESS_MODE, NODE_CAPABILITY } from './messages.ts';
import {
  attachmentName,
  type CsiSource,
  capabilityOf,
  isGivenToGroup,
  sourceOfInline,
  sourceOfPersistent,
} from './source.ts';

const volume = (accessModes: string[], csi: object = {}, more: object = {}): PersistentVolume => ({
  metadata: { name: 'pv' },
  spec: { accessModes, csi: { driver: 'd.example.com', volumeHandle: 'h', ...csi }, ...more },
});
const source = (accessModes: string[], csi: object = {}) =>
  sourceOfPersistent(volume(accessModes, csi), false) as CsiSource;

describe('the access that a driver is asked for', () => {
  const none = { capabilities: new Set<number>() };
  const tells = { capabilities: new Set<number>([NODE_CAPABILITY.singleNodeMultiWriter]) };
  it.each<[string[], typeof none, number]>([
    [['ReadWriteOnce'], none, ACCESS_MODE.singleNodeWriter],
    [['ReadWriteOnce'], tells, ACCESS_MODE.singleNodeMultiWriter],
    [['ReadWriteOncePod'], none, ACCESS_MODE.singleNodeWriter],
    [['ReadWriteOncePod'], tells, ACCESS_MODE.singleNodeSingleWriter],
    [['ReadOnlyMany'], none, ACCESS_MODE.multiNodeReaderOnly],
    [['ReadOnlyMany', 'ReadWriteOnce'], none, ACCESS_MODE.singleNodeWriter],
    [['ReadWriteOnce', 'ReadWriteMany'], none, ACCESS_MODE.multiNodeMultiWriter],
  ])('of %j', (modes, driver, mode) => {
    expect(capabilityOf(source(modes), driver).access_mode).toEqual({ mode });
  });

  it('is a file system with its options, or a block device', () => {
    const spec = { mountOptions: ['noatime'] };
    const mounted = sourceOfPersistent(volume(['ReadWriteOnce'], { fsType: 'xfs' }, spec), false) as CsiSource;
    expect(capabilityOf(mounted, none, '7')).toMatchObject({
      mount: { fs_type: 'xfs', mount_flags: ['noatime'], volume_mount_group: '7' },
    });
    const block = sourceOfPersistent(volume(['ReadWriteOnce'], {}, { volumeMode: 'Block' }), false) as CsiSource;
    expect(capabilityOf(block, none)).toMatchObject({ block: {} });
    expect(capabilityOf(block, none).mount).toBeUndefined();
  });
});

describe('a volume of a driver', () => {
  it('is only read where the pod, or the volume, says so', () => {
    expect(source(['ReadWriteOnce']).readOnly).toBe(false);
    expect(source(['ReadWriteOnce'], { readOnly: true }).readOnly).toBe(true);
    expect(sourceOfPersistent(volume(['ReadWriteOnce']), true)?.readOnly).toBe(true);
    expect(sourceOfPersistent({ spec: { hostPath: { path: '/' } } }, true)).toBeUndefined();
  });

  it('has a handle of the pod’s own, inline', () => {
    const inline = (uid: string) =>
      sourceOfInline({ metadata: { uid, namespace: 'shop' } }, { name: 'v', csi: { driver: 'd.example.com' } });
    expect(inline('a')).toMatchObject({ mode: 'Ephemeral', name: 'v' });
    expect(inline('a')?.handle).toBe(inline('a')?.handle);
    expect(inline('a')?.handle).not.toBe(inline('b')?.handle);
  });

  it('is attached under a name that follows from volume, driver and node', () => {
    // The SHA-256 of the handle, the driver and the node, in a row.
    expect(attachmentName({ handle: 'own', driver: 'd.example.com' }, 'n1')).toBe(
      'csi-b5c2c8884a536ff578a7f2548854db6d9d5353606af16c508c88495c78904b9c',
    );
  });

  it.each<[string | undefined, string, string[], boolean]>([
    ['None', 'ext4', ['ReadWriteOnce'], false],
    ['File', '', ['ReadWriteMany'], true],
    ['ReadWriteOnceWithFSType', 'ext4', ['ReadWriteOnce'], true],
    ['ReadWriteOnceWithFSType', '', ['ReadWriteOnce'], false],
    ['ReadWriteOnceWithFSType', 'ext4', ['ReadWriteMany'], false],
    [undefined, 'ext4', ['ReadWriteOnce'], true],
  ])('is given to the group of the pod: policy %s, file system %j, %j', (fsGroupPolicy, fsType, modes, is) => {
    const driver: CSIDriver | undefined = fsGroupPolicy === undefined ? undefined : { spec: { fsGroupPolicy } };
    expect(isGivenToGroup(source(modes, { fsType }), driver)).toBe(is);
  });
});
