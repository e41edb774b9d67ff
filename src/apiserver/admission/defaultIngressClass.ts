/**
 * Ingresses that leave their class open get the default's.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaultingressclass
 */
import { defaultOf } from '../../apis/defaultClass.ts';
import type { Ingress } from '../../apis/networking/ingress.ts';
import { ingressClasses, isDefaultIngressClass } from '../../apis/networking/ingressClass.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin } from './plugin.ts';

const OLDER_ANNOTATION = 'kubernetes.io/ingress.class';

export function defaultIngressClass(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(ingressClasses);
  return {
    name: 'DefaultIngressClass',
    resources: new Set(['networking.k8s.io/ingresses']),
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '') return;
      const { spec, metadata } = request.object as Ingress;
      if (spec === undefined || spec.ingressClassName !== undefined) return;
      if (metadata?.annotations?.[OLDER_ANNOTATION] !== undefined) return;
      const fill = () => {
        const name = defaultOf(cache.objects(), isDefaultIngressClass)?.metadata.name;
        if (name !== undefined) spec.ingressClassName = name;
      };
      return cache.ready ? fill() : cache.start().then(fill);
    },
  };
}
