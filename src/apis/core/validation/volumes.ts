/** What is wrong with the volumes of a pod. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/fieldError.ts';
import { configMapKey, dnsLabel } from '../../../machinery/names.ts';
import type { KeyToPath, Volume } from '../volumes.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const MEDIA = ['', 'Memory'];

export function validateVolumes(volumes: readonly Volume[], path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`;
    if (!volume.name) errors.push(required(`${at}.name`));
    else {
      for (const fault of dnsLabel(volume.name)) errors.push(invalid(`${at}.name`, volume.name, fault));
      if (names.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
      names.add(volume.name);
    }
    const { name: _name, ...sources } = volume;
    const given = Object.keys(sources);
    if (given.length === 0) errors.push(required(at, 'must specify a volume type'));
    for (const extra of given.slice(1))
      errors.push(forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type'));
    validateSource(volume, at, errors);
  }
}

function validateSource(volume: Volume, at: string, errors: FieldError[]): void {
  const { hostPath, emptyDir, configMap, secret, downwardAPI, projected, persistentVolumeClaim } = volume;
  if (hostPath !== undefined) {
    if (!hostPath.path) errors.push(required(`${at}.hostPath.path`));
    else if (hostPath.path.split('/').includes('..'))
      errors.push(invalid(`${at}.hostPath.path`, hostPath.path, "must not contain '..'"));
    if (!HOST_PATH_TYPES.includes(hostPath.type ?? '')) {
      errors.push(notSupported(`${at}.hostPath.type`, hostPath.type, HOST_PATH_TYPES));
    }
  }
  if (emptyDir !== undefined && !MEDIA.includes(emptyDir.medium ?? '') && !emptyDir.medium?.startsWith('HugePages')) {
    errors.push(notSupported(`${at}.emptyDir.medium`, emptyDir.medium, MEDIA));
  }
  if (configMap !== undefined) {
    if (!configMap.name) errors.push(required(`${at}.configMap.name`));
    validateMode(configMap.defaultMode, `${at}.configMap.defaultMode`, errors);
    validateItems(configMap.items, `${at}.configMap.items`, errors);
  }
  if (secret !== undefined) {
    if (!secret.secretName) errors.push(required(`${at}.secret.secretName`));
    validateMode(secret.defaultMode, `${at}.secret.defaultMode`, errors);
    validateItems(secret.items, `${at}.secret.items`, errors);
  }
  if (downwardAPI !== undefined) {
    for (const [i, item] of (downwardAPI.items ?? []).entries()) {
      validatePath(item.path, `${at}.downwardAPI.items[${i}].path`, errors);
      if ((item.fieldRef === undefined) === (item.resourceFieldRef === undefined)) {
        errors.push(required(`${at}.downwardAPI.items[${i}]`, 'one of fieldRef and resourceFieldRef is required'));
      }
    }
  }
  if (projected !== undefined) {
    for (const [i, source] of (projected.sources ?? []).entries()) {
      const here = `${at}.projected.sources[${i}]`;
      if (Object.keys(source).length > 1)
        errors.push(forbidden(here, 'may not specify more than 1 volume type per source'));
      if (source.configMap !== undefined && !source.configMap.name) errors.push(required(`${here}.configMap.name`));
      if (source.secret !== undefined && !source.secret.name) errors.push(required(`${here}.secret.name`));
      const token = source.serviceAccountToken;
      if (token !== undefined) {
        validatePath(token.path, `${here}.serviceAccountToken.path`, errors);
        if ((token.expirationSeconds ?? 0) < 600) {
          errors.push(
            invalid(
              `${here}.serviceAccountToken.expirationSeconds`,
              token.expirationSeconds,
              'may not specify a duration less than 10 minutes',
            ),
          );
        }
      }
    }
  }
  if (persistentVolumeClaim !== undefined && !persistentVolumeClaim.claimName) {
    errors.push(required(`${at}.persistentVolumeClaim.claimName`));
  }
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string, errors: FieldError[]): void {
  for (const [i, item] of (items ?? []).entries()) {
    if (!item.key) errors.push(required(`${path}[${i}].key`));
    else for (const fault of configMapKey(item.key)) errors.push(invalid(`${path}[${i}].key`, item.key, fault));
    validatePath(item.path, `${path}[${i}].path`, errors);
    validateMode(item.mode, `${path}[${i}].mode`, errors);
  }
}

function validatePath(text: string | undefined, path: string, errors: FieldError[]): void {
  if (!text) errors.push(required(path));
  else if (text.startsWith('/')) errors.push(invalid(path, text, 'must be a relative path'));
  else if (text.split('/').includes('..')) errors.push(invalid(path, text, "must not contain '..'"));
}

function validateMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}
