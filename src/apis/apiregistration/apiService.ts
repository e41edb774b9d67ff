import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, bytes, type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';

export const APIService = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, APIServiceSpec),
  status: opt(3, APIServiceStatus),
}));
export interface APIService extends Infer<typeof APIService> {}

export const APIServiceStatus = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus', () => ({
  conditions: opt(1, list(APIServiceCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface APIServiceStatus extends Infer<typeof APIServiceStatus> {}

export const APIServiceCondition = object(
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition',
  () => ({
    type: req(1, str),
    status: req(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
  }),
);
export interface APIServiceCondition extends Infer<typeof APIServiceCondition> {}

export const APIServiceSpec = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec', () => ({
  service: opt(1, ServiceReference),
  group: opt(2, str),
  version: opt(3, str),
  insecureSkipTLSVerify: opt(4, bool),
  caBundle: opt(5, bytes),
  groupPriorityMinimum: req(7, int32),
  versionPriority: req(8, int32),
}));
export interface APIServiceSpec extends Infer<typeof APIServiceSpec> {}

export const ServiceReference = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference', () => ({
  namespace: opt(1, str),
  name: opt(2, str),
  port: opt(3, int32),
}));
export interface ServiceReference extends Infer<typeof ServiceReference> {}
