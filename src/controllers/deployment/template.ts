/** A deployment's pod template, and the hash by which the replica set made of it is named. */
import type { Deployment } from '../../apis/apps/deployment.ts';
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import { PodTemplateSpec } from '../../apis/core/podTemplate.ts';
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
