/**
 * Tables: what `kubectl get` prints, computed by the server.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
import type { Column, Kind, KubeObject } from './kind.ts';
import { humanDuration, parseTime } from './time.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The age of an object, for a column. @param now ms since the epoch */
export function ageOf(object: KubeObject, now: number): string {
  const created = parseTime(object.metadata?.creationTimestamp);
  return created === undefined ? '<unknown>' : humanDuration(now - created);
}

export const NAME_COLUMN: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Unique within its namespace (or the cluster); fixed at creation.',
  value: (object) => object.metadata?.name ?? '',
};

export const AGE_COLUMN: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  value: ageOf,
};

/** The columns of a kind that names none of its own. */
const DEFAULT_COLUMNS: readonly Column<KubeObject>[] = [
  NAME_COLUMN,
  {
    name: 'Created At',
    type: 'date',
    description: 'When the object was created, by the server.',
    value: (object) => object.metadata?.creationTimestamp ?? null,
  },
];

function columnsOf<T extends KubeObject>(kind: Kind<T>): readonly Column<T>[] {
  return kind.columns.length > 0 ? kind.columns : DEFAULT_COLUMNS;
}

export function columnDefinitions<T extends KubeObject>(kind: Kind<T>): unknown[] {
  return columnsOf(kind).map((c) => ({
    name: c.name,
    type: c.type,
    format: c.format ?? '',
    description: c.description,
    priority: c.priority ?? 0,
  }));
}

/** One row, with as much of the object as was asked for. */
export function tableRow<T extends KubeObject>(kind: Kind<T>, object: T, now: number, include: IncludeObject): unknown {
  const cells = columnsOf(kind).map((c) => c.value(object, now));
  switch (include) {
    case 'None':
      return { cells };
    case 'Object':
      return { cells, object };
    case 'Metadata':
      return { cells, object: partialMetadata(object) };
  }
}

/** The PartialObjectMetadata of an object. */
export function partialMetadata(object: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata ?? {} };
}
