/**
 * Certificate signing requests: who asks is written down; only who may approve approves, only who may sign signs, and
 * nobody gets a client certificate of the group system:masters this way.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#certificateapproval
 */
import {
  type CertificateSigningRequest,
  certificateSigningRequests,
} from '../../apis/certificates/certificateSigningRequest.ts';
import { CertificateRequestError, parseCertificateRequest } from '../../apis/certificates/pkcs10.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import { type Authorizer, authorizeAll } from '../authorization/authorizer.ts';
import { MASTERS_GROUP, type User } from '../user.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const GROUP = 'certificates.k8s.io';
const RESOURCES: ReadonlySet<string> = new Set([`${GROUP}/certificatesigningrequests`]);
const API_SERVER_CLIENT = 'kubernetes.io/kube-apiserver-client';

const csrOf = (request: AdmissionRequest) => request.object as CertificateSigningRequest;

/** Who asks is whoever asks, whatever the request says. */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  resources: RESOURCES,
  mutate(request) {
    const { spec } = csrOf(request) ?? {};
    if (request.operation !== 'CREATE' || spec === undefined) return;
    const { name, uid, groups, extra } = request.user;
    for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec[field];
    spec.username = name;
    if (uid !== undefined && uid !== '') spec.uid = uid;
    spec.groups = [...groups];
    if (extra !== undefined) spec.extra = Object.fromEntries(Object.entries(extra).map(([k, v]) => [k, [...v]]));
  },
};

/** For updates of `approval`: the verb `approve` on the signer. */
export function certificateApproval(authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    resources: RESOURCES,
    validate(request) {
      if (request.operation !== 'UPDATE' || request.subresource !== 'approval') return;
      assertMay(authorizers, request, 'approve');
    },
  };
}

/** For updates of `status` that issue a certificate or say why not: the verb `sign` on the signer. */
export function certificateSigning(authorizers: readonly Authorizer[]): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    resources: RESOURCES,
    validate(request) {
      if (request.operation !== 'UPDATE' || request.subresource !== 'status') return;
      const now = csrOf(request).status;
      const before = (request.oldObject as CertificateSigningRequest | undefined)?.status;
      const same =
        (now?.certificate ?? '') === (before?.certificate ?? '') &&
        jsonEqual(now?.conditions ?? [], before?.conditions ?? []);
      if (!same) assertMay(authorizers, request, 'sign');
    },
  };
}

/** No certificates for clients that would be administrators. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  resources: RESOURCES,
  validate(request) {
    const { spec } = csrOf(request) ?? {};
    if (request.operation !== 'CREATE' || spec?.signerName !== API_SERVER_CLIENT) return;
    let organizations: readonly string[];
    try {
      organizations = parseCertificateRequest(spec.request).organizations;
    } catch (error) {
      if (error instanceof CertificateRequestError) throw refusal(request, error.message);
      throw error;
    }
    if (!organizations.includes(MASTERS_GROUP)) return;
    throw refusal(request, `use of ${API_SERVER_CLIENT} signer with ${MASTERS_GROUP} group is not allowed`);
  },
};

const refusal = (request: AdmissionRequest, why: string) =>
  forbiddenRequest(certificateSigningRequests, request.name, why);

/** The old object's signer counts: a request cannot talk its way to another one. */
function assertMay(authorizers: readonly Authorizer[], request: AdmissionRequest, verb: 'approve' | 'sign'): void {
  const signer = (request.oldObject as CertificateSigningRequest).spec?.signerName ?? '';
  if (mayFor(authorizers, request.user, verb, signer)) return;
  // The wildcard of a domain is a name of its own: `example.com/*`.
  if (mayFor(authorizers, request.user, verb, `${signer.split('/')[0]}/*`)) return;
  throw refusal(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`);
}

function mayFor(authorizers: readonly Authorizer[], user: User, verb: string, name: string): boolean {
  return authorizeAll(authorizers, {
    user,
    verb,
    isResource: true,
    group: GROUP,
    version: '*',
    resource: 'signers',
    subresource: '',
    namespace: '',
    name,
    path: '',
  }).allowed;
}
