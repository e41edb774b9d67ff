import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int64, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const CSIDriver = object('io.k8s.api.storage.v1.CSIDriver', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CSIDriverSpec),
}));
export interface CSIDriver extends Infer<typeof CSIDriver> {}

export const CSIDriverSpec = object('io.k8s.api.storage.v1.CSIDriverSpec', () => ({
  attachRequired: opt(1, bool),
  podInfoOnMount: opt(2, bool),
  volumeLifecycleModes: opt(3, list(str, { type: 'set' })),
  storageCapacity: opt(4, bool),
  fsGroupPolicy: opt(5, str),
  tokenRequests: opt(6, list(TokenRequest)),
  requiresRepublish: opt(7, bool),
  seLinuxMount: opt(8, bool),
  nodeAllocatableUpdatePeriodSeconds: opt(9, int64),
  serviceAccountTokenInSecrets: opt(10, bool),
  preventPodSchedulingIfMissing: opt(11, bool),
}));
export interface CSIDriverSpec extends Infer<typeof CSIDriverSpec> {}

export const TokenRequest = object('io.k8s.api.storage.v1.TokenRequest', () => ({
  audience: req(1, str),
  expirationSeconds: opt(2, int64),
}));
export interface TokenRequest extends Infer<typeof TokenRequest> {}
