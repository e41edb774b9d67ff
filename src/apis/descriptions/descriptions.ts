/**
 * What types and fields are, in short words of our own, for those who look them up with `kubectl explain`. They stand
 * beside the schemas, not in them: only documents of OpenAPI need them, and they are read when the first one is made.
 */
import type { ObjectType } from '../../machinery/schema/types.ts';
import { CLUSTER } from './cluster.ts';
import { NETWORK } from './network.ts';
import { POD_STATUSES } from './podStatuses.ts';
import { PODS } from './pods.ts';
import { VOLUMES } from './volumes.ts';
import { WORKLOADS } from './workloads.ts';

/** Fields that most kinds have. */
const COMMON: Readonly<Record<string, string>> = {
  spec: 'What is wanted.',
  status: 'What is; written by those who look after the object.',
  items: 'The objects.',
};

/** By the name of the type, with a dot and the field's name for fields. */
export function readDescriptions(): ReadonlyMap<string, string> {
  return new Map([PODS, POD_STATUSES, VOLUMES, WORKLOADS, CLUSTER, NETWORK].flatMap(entriesOf));
}

/** What is said of a type or one of its fields. */
export function describeBy(
  descriptions: ReadonlyMap<string, string>,
): (type: ObjectType, field?: string) => string | undefined {
  return (type, field) => {
    if (field === undefined) return descriptions.get(type.name);
    const own = descriptions.get(`${type.name}.${field}`);
    if (own !== undefined || !Object.hasOwn(COMMON, field)) return own;
    const isObject = ['apiVersion', 'kind', 'metadata'].every((name) => name in type.fields);
    return isObject ? COMMON[field] : undefined;
  };
}

/** `# package`, `Type: what it is`, and indented `field: what it is`. */
function entriesOf(text: string): [string, string][] {
  const entries: [string, string][] = [];
  let group = '';
  let type = '';
  for (const line of text.split('\n')) {
    const end = line.indexOf(': ');
    if (line.startsWith('# ')) group = line.slice(2);
    else if (end < 0) continue;
    else if (line.startsWith('  ')) entries.push([`${group}.${type}.${line.slice(2, end)}`, line.slice(end + 2)]);
    else {
      type = line.slice(0, end);
      entries.push([`${group}.${type}`, line.slice(end + 2)]);
    }
  }
  return entries;
}
