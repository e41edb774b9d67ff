/**
 * Objects are made only in namespaces that are there and stay; some namespaces are there for ever.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
 */
import { namespaces } from '../../apis/core/namespace.ts';
import { ApiError, forbiddenRequest, notFound } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin } from './plugin.ts';

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

export function namespaceLifecycle(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(namespaces);
  return {
    name: 'NamespaceLifecycle',
    // Both phases see creates: a namespace must not be used by other plugins before it is known to be there.
    mutate(request) {
      if (request.operation !== 'CREATE' || !request.kind.namespaced || request.namespace === undefined) return;
      const check = () => {
        const { kind, name, namespace = '' } = request;
        const found = cache.object(undefined, namespace);
        if (found === undefined) throw notFound(namespaces, namespace);
        if (found.status?.phase !== 'Terminating' && found.metadata.deletionTimestamp === undefined) return;
        const refusal = forbiddenRequest(
          kind,
          name,
          `unable to create new content in namespace ${namespace} because it is being terminated`,
        ).status;
        throw new ApiError({
          ...refusal,
          details: {
            ...refusal.details,
            causes: [
              {
                reason: 'NamespaceTerminating',
                message: `namespace ${namespace} is being terminated`,
                field: 'metadata.namespace',
              },
            ],
          },
        });
      };
      const fresh = cache.freshen();
      return fresh === undefined ? check() : fresh.then(check);
    },
    validate(request) {
      if (request.operation !== 'DELETE' || request.kind.plural !== 'namespaces' || request.kind.group !== '') return;
      if (IMMORTAL.has(request.name)) {
        throw forbiddenRequest(namespaces, request.name, 'this namespace may not be deleted');
      }
    },
  };
}
