import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { bytes, type Infer, int32, list, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { formatTime, humanDuration } from '../../machinery/time.ts';
import { validateRequest, validateRequestUpdate } from './validation.ts';

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
    certificate: opt(2, bytes, { doc: 'What was issued: PEM, in base64.' }),
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
  request: req(1, bytes, { doc: 'What is asked for: a PKCS #10 request in PEM, in base64.' }),
  username: opt(2, str),
  uid: opt(3, str),
  groups: opt(4, list(str)),
  usages: opt(5, list(str), { doc: 'What the certificate is to be used for, e.g. `client auth`.' }),
  extra: opt(6, map(list(str))),
  signerName: req(7, str, { doc: 'Who is asked to sign, e.g. kubernetes.io/kube-apiserver-client.' }),
  expirationSeconds: opt(8, int32, {
    doc: 'For how long the certificate is asked for; the signer may decide otherwise.',
  }),
}));
export interface CertificateSigningRequestSpec extends Infer<typeof CertificateSigningRequestSpec> {}

/** Requests for certificates, to be approved and then signed by the signer that they name. */
export const certificateSigningRequests = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  schema: CertificateSigningRequest,
  shortNames: ['csr'],
  namespaced: false,
  nameRule: pathSegment,
  prepareForCreate(csr) {
    csr.status = {};
  },
  validate: (csr) => validateRequest(csr),
  update: {
    prepare(csr, old) {
      csr.spec = old.spec;
      csr.status = old.status ?? {};
    },
    validate: (csr, old) => validateRequestUpdate(csr, old, { approval: false, certificate: false }),
  },
  status: {
    prepare(csr, old, now) {
      csr.spec = old.spec;
      setConditionTimes(csr, old, now);
    },
    validate: (csr, old) => validateRequestUpdate(csr, old, { approval: false, certificate: true }),
  },
  subresources: {
    approval: {
      kind: 'CertificateSigningRequest',
      verbs: ['get', 'update', 'patch'],
      rules: {
        prepare(csr, old, now) {
          csr.spec = old.spec;
          setConditionTimes(csr, old, now);
          const { conditions } = csr.status ?? {};
          csr.status = { ...old.status };
          if (conditions === undefined) delete csr.status.conditions;
          else csr.status.conditions = conditions;
        },
        validate: (csr, old) => validateRequestUpdate(csr, old, { approval: true, certificate: false }),
      },
    },
  },
  columns: [
    NAME_COLUMN,
    AGE_COLUMN,
    {
      name: 'SignerName',
      type: 'string',
      description: 'Who is asked to sign.',
      value: ({ spec }) => spec?.signerName || '<none>',
    },
    {
      name: 'Requestor',
      type: 'string',
      description: 'Who asks.',
      value: ({ spec }) => spec?.username ?? '',
    },
    {
      name: 'RequestedDuration',
      type: 'string',
      description: 'For how long the certificate is asked for.',
      value({ spec }) {
        const seconds = spec?.expirationSeconds;
        return seconds === undefined ? '<none>' : humanDuration(seconds * 1000);
      },
    },
    {
      name: 'Condition',
      type: 'string',
      description: 'What was decided, and whether the certificate was issued.',
      value: conditionOf,
    },
  ],
  selectableFields: {
    'spec.signerName': ({ spec }) => spec?.signerName ?? '',
  },
});

/** What a condition leaves out: when it was written, and since when it is so. */
function setConditionTimes(csr: CertificateSigningRequest, old: CertificateSigningRequest, now: number): void {
  for (const condition of csr.status?.conditions ?? []) {
    condition.lastUpdateTime ??= formatTime(now);
    const before = old.status?.conditions?.find((c) => c.type === condition.type && c.status === condition.status);
    condition.lastTransitionTime ??= before?.lastTransitionTime ?? formatTime(now);
  }
}

function conditionOf({ status }: CertificateSigningRequest): string {
  const has = (type: string) => status?.conditions?.some((c) => c.type === type) === true;
  const words = has('Denied') ? ['Denied'] : has('Approved') ? ['Approved'] : ['Pending'];
  if (has('Failed')) words.push('Failed');
  if (status?.certificate) words.push('Issued');
  return words.join(',');
}
