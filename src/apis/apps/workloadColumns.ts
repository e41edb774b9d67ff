/** Columns that deployments, replica sets and the like share. */
import type { Column } from '../../machinery/kind.ts';
import { formatSelector, type Selector, selectorFrom } from '../../machinery/labelSelector.ts';
import type { LabelSelector } from '../../machinery/meta.ts';
import type { PodTemplateSpec } from '../core/podTemplate.ts';

interface Workload {
  spec?: { selector?: LabelSelector; template?: PodTemplateSpec };
}

/** A selector in its string form, with its keys in order: what the scale subresource and tables show. */
export function selectorText(selector: LabelSelector | undefined): string {
  const requirements: Selector = selectorFrom(selector) ?? [];
  return formatSelector([...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

/** Labels as tables show them, with their keys in order. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',') || '<none>';
}

/** Containers and images: shown with `-o wide`. */
export const CONTAINER_COLUMNS: readonly Column<Workload>[] = [
  {
    name: 'Containers',
    type: 'string',
    description: 'The names of the containers of its pods.',
    priority: 1,
    value: (object) =>
      containersOf(object)
        .map((c) => c.name)
        .join(','),
  },
  {
    name: 'Images',
    type: 'string',
    description: 'The images of those containers.',
    priority: 1,
    value: (object) =>
      containersOf(object)
        .map((c) => c.image ?? '')
        .join(','),
  },
];

/** Containers, images and selector: shown with `-o wide`. */
export const WORKLOAD_COLUMNS: readonly Column<Workload>[] = [
  ...CONTAINER_COLUMNS,
  {
    name: 'Selector',
    type: 'string',
    description: 'Which pods are its own.',
    priority: 1,
    value: (object) => selectorText(object.spec?.selector) || '<none>',
  },
];

const containersOf = (object: Workload) => object.spec?.template?.spec?.containers ?? [];
