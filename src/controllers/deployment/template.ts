/** A deployment's pod template, and the hash by which the replica set made of it is named. */
import type { Deployment } from '../../apis/apps/deployment.ts';
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import { PodTemplateSpec } from '../../apis/core/podTemplate.ts';
import { safeEncode } from '../../machinery/generateName.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';

export const TEMPLATE_HASH = 'pod-template-hash';

/** Whether the replica set was made of the deployment's present template. */
export function isOfTemplate(set: ReplicaSet, deployment: Deployment): boolean {
  return semanticEqual(
    PodTemplateSpec,
    withoutHash(set.spec?.template ?? {}),
    withoutHash(deployment.spec?.template ?? {}),
  );
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [TEMPLATE_HASH]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The same for the same template, whatever the order of its fields; another one after each collision. */
export function templateHash(template: PodTemplateSpec, collisions: number | undefined): string {
  const text = canonical(template) + (collisions === undefined ? '' : `#${collisions}`);
  return safeEncode(String(fnv1a(Buffer.from(text))));
}

/** JSON with the fields in alphabetical order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, v]) => v !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, v]) => `${JSON.stringify(name)}:${canonical(v)}`).join(',')}}`;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a with 32 bits. Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(bytes: Buffer): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return hash;
}
