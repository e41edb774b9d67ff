/** Definitions under the names of the Gateway API's, as lax as can be: what is tested is who acts on the objects. */
const GROUP = 'gateway.networking.k8s.io';

function definition(kind: string, plural: string, scope: 'Cluster' | 'Namespaced', version = 'v1'): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
    },
    spec: {
      group: GROUP,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

export const GATEWAY_DEFINITIONS: readonly object[] = [
  definition('GatewayClass', 'gatewayclasses', 'Cluster'),
  definition('Gateway', 'gateways', 'Namespaced'),
  definition('HTTPRoute', 'httproutes', 'Namespaced'),
  definition('ReferenceGrant', 'referencegrants', 'Namespaced', 'v1beta1'),
];
