/** What is wrong with where a container sees the pod's volumes. */
import { duplicate, type FieldError, forbidden, invalid, notFound, required } from '../../../machinery/fieldError.ts';
import type { SecurityContext, VolumeDevice, VolumeMount } from '../container.ts';
import type { Volume } from '../volumes.ts';
import { checkChoice, checkLocalPath, checkNoBacksteps } from './rules.ts';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

/** The pod's volumes by name. */
export type Volumes = ReadonlyMap<string, Volume>;

export function validateMounts(
  mounts: readonly VolumeMount[],
  volumes: Volumes,
  security: SecurityContext | undefined,
  path: string,
  errors: FieldError[],
): void {
  const paths = new Set<string>();
  for (const [i, mount] of mounts.entries()) {
    const at = `${path}[${i}]`;
    if (!mount.name) errors.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) errors.push(notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
    else if (paths.has(mount.mountPath)) errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    if (mount.subPath) checkLocalPath(mount.subPath, `${at}.subPath`, errors);
    if (mount.subPathExpr) {
      if (mount.subPath) {
        errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      }
      checkLocalPath(mount.subPathExpr, `${at}.subPathExpr`, errors);
    }
    if (mount.mountPropagation !== undefined) validatePropagation(mount.mountPropagation, security, at, errors);
    if (mount.recursiveReadOnly !== undefined) validateRecursive(mount, mount.recursiveReadOnly, at, errors);
  }
}

function validatePropagation(
  propagation: string,
  security: SecurityContext | undefined,
  at: string,
  errors: FieldError[],
): void {
  checkChoice(propagation, PROPAGATIONS, `${at}.mountPropagation`, errors);
  if (propagation === 'Bidirectional' && security?.privileged !== true) {
    errors.push(
      forbidden(`${at}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'),
    );
  }
}

function validateRecursive(mount: VolumeMount, wish: string, at: string, errors: FieldError[]): void {
  checkChoice(wish, RECURSIVE_READ_ONLY, `${at}.recursiveReadOnly`, errors);
  if (wish === 'Disabled') return;
  if (mount.readOnly !== true) {
    errors.push(forbidden(`${at}.recursiveReadOnly`, 'may only be specified when readOnly is true'));
  }
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    errors.push(
      forbidden(`${at}.recursiveReadOnly`, 'may only be specified when mountPropagation is None or not specified'),
    );
  }
}

/** Volumes that a container sees as raw devices. */
export function validateDevices(
  devices: readonly VolumeDevice[],
  mounts: readonly VolumeMount[],
  volumes: Volumes,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [i, device] of devices.entries()) {
    const at = `${path}[${i}]`;
    if (!device.name) errors.push(required(`${at}.name`));
    else {
      const volume = volumes.get(device.name);
      if (volume === undefined) errors.push(notFound(`${at}.name`, device.name));
      else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
        errors.push(
          invalid(
            `${at}.name`,
            device.name,
            'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
          ),
        );
      }
      if (names.has(device.name)) errors.push(duplicate(`${at}.name`, device.name));
      names.add(device.name);
      if (mounts.some((mount) => mount.name === device.name)) {
        errors.push(invalid(`${at}.name`, device.name, 'must not already exist in volumeMounts'));
      }
    }
    if (!device.devicePath) errors.push(required(`${at}.devicePath`));
    else {
      if (paths.has(device.devicePath)) errors.push(invalid(`${at}.devicePath`, device.devicePath, 'must be unique'));
      checkNoBacksteps(device.devicePath, `${at}.devicePath`, errors);
      if (mounts.some((mount) => mount.mountPath === device.devicePath)) {
        errors.push(invalid(`${at}.devicePath`, device.devicePath, 'must not already exist as a path in volumeMounts'));
      }
      paths.add(device.devicePath);
    }
  }
}
