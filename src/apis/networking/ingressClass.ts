import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';

export const IngressClass = object('io.k8s.api.networking.v1.IngressClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, IngressClassSpec),
}));
export interface IngressClass extends Infer<typeof IngressClass> {}

export const IngressClassSpec = object('io.k8s.api.networking.v1.IngressClassSpec', () => ({
  controller: opt(1, str),
  parameters: opt(2, IngressClassParametersReference),
}));
export interface IngressClassSpec extends Infer<typeof IngressClassSpec> {}

export const IngressClassParametersReference = object(
  'io.k8s.api.networking.v1.IngressClassParametersReference',
  () => ({
    kind: req(2, str),
    name: req(3, str),
    scope: opt(4, str),
    namespace: opt(5, str),
    apiGroup: opt(undefined, str),
  }),
);
export interface IngressClassParametersReference extends Infer<typeof IngressClassParametersReference> {}
