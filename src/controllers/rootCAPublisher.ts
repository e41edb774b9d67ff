/**
 * Puts the cluster's CA into every namespace, as the config map `kube-root-ca.crt`, by which pods know the
 * API server.
 *
 * Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
 */
import { type ConfigMap, configMaps } from '../apis/core/configMap.ts';
import { namespaces } from '../apis/core/namespace.ts';
import type { Kind } from '../machinery/kind.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

const NAME = 'kube-root-ca.crt';
const FILE = 'ca.crt';
const DESCRIPTION = {
  'kubernetes.io/description': 'The certificate authority by which pods of this cluster recognize its API server.',
};

/** @param clusterCA PEM */
export function startRootCAPublisher(context: ControllerContext, clusterCA: string): void {
  const namespaceInformer = context.informers.of(namespaces);
  const maps = context.informers.of(configMaps);
  const loop = startLoop({
    name: 'root-ca-cert-publisher',
    context,
    reads: [namespaceInformer, maps],
    plan(name) {
      const namespace = namespaceInformer.byKey(name);
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
      return planRootCA(name, maps.get(name, NAME), clusterCA);
    },
  });
  namespaceInformer.handle({ onAdd: (namespace) => loop.enqueue(namespace.metadata.name) });
  const tell = (map: ConfigMap) => {
    if (map.metadata?.name === NAME) loop.enqueue(map.metadata.namespace ?? '');
  };
  maps.handle({ onUpdate: tell, onDelete: tell });
}

function planRootCA(namespace: string, found: ConfigMap | undefined, clusterCA: string): Plan | undefined {
  const data = { [FILE]: clusterCA };
  if (found === undefined) {
    const object: ConfigMap = { metadata: { name: NAME, namespace, annotations: DESCRIPTION }, data };
    return { actions: [{ verb: 'create', kind: configMaps as Kind, object }] };
  }
  if (Object.keys(found.data ?? {}).length === 1 && found.data?.[FILE] === clusterCA) return undefined;
  const object: ConfigMap = { ...found, data };
  return { actions: [{ verb: 'update', kind: configMaps as Kind, object }] };
}
