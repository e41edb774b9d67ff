import { ObjectMeta } from '../../machinery/meta.ts';
import { bytes, type Infer, int32, list, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';

export const CertificateSigningRequest = object('io.k8s.api.certificates.v1.CertificateSigningRequest', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CertificateSigningRequestSpec),
  status: opt(3, CertificateSigningRequestStatus),
}));
export interface CertificateSigningRequest extends Infer<typeof CertificateSigningRequest> {}

export const CertificateSigningRequestStatus = object(
  'io.k8s.api.certificates.v1.CertificateSigningRequestStatus',
  () => ({
    conditions: opt(1, list(CertificateSigningRequestCondition, { type: 'map', keys: ['type'] })),
    certificate: opt(2, bytes),
  }),
);
export interface CertificateSigningRequestStatus extends Infer<typeof CertificateSigningRequestStatus> {}

export const CertificateSigningRequestCondition = object(
  'io.k8s.api.certificates.v1.CertificateSigningRequestCondition',
  () => ({
    type: req(1, str),
    reason: opt(2, str),
    message: opt(3, str),
    lastUpdateTime: opt(4, time),
    lastTransitionTime: opt(5, time),
    status: req(6, str),
  }),
);
export interface CertificateSigningRequestCondition extends Infer<typeof CertificateSigningRequestCondition> {}

export const CertificateSigningRequestSpec = object('io.k8s.api.certificates.v1.CertificateSigningRequestSpec', () => ({
  request: req(1, bytes),
  username: opt(2, str),
  uid: opt(3, str),
  groups: opt(4, list(str)),
  usages: opt(5, list(str)),
  extra: opt(6, map(list(str))),
  signerName: req(7, str),
  expirationSeconds: opt(8, int32),
}));
export interface CertificateSigningRequestSpec extends Infer<typeof CertificateSigningRequestSpec> {}
