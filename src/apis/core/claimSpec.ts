/** What is filled into a claim's spec: in claims, in the templates of stateful sets, in ephemeral volumes. */
import type { PersistentVolumeClaimSpec } from './volumes.ts';

const CLAIM = 'PersistentVolumeClaim';

export function setClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
}

/**
 * What a volume is filled from has an older name, dataSource, which knows claims and snapshots only, and a newer
 * one, dataSourceRef: each is written as the other too. Another namespace cannot be named; that is off by default.
 */
export function normalizeClaimSpec(spec: PersistentVolumeClaimSpec, old?: PersistentVolumeClaimSpec): void {
  if (old?.dataSourceRef === undefined) {
    delete spec.dataSourceRef?.namespace;
    if (old?.dataSource === undefined && !isOlderSource(spec.dataSource)) delete spec.dataSource;
  }
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef !== undefined && dataSource === undefined && !dataSourceRef.namespace) {
    const { namespace: _none, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

function isOlderSource(source: PersistentVolumeClaimSpec['dataSource']): boolean {
  if (source?.kind === CLAIM) return !source.apiGroup;
  return source?.kind === 'VolumeSnapshot' && source.apiGroup === 'snapshot.storage.k8s.io';
}
