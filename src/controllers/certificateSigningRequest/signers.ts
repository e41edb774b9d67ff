/**
 * The signers of Kubernetes itself, and what each of them signs.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
 */
import type { CertificateRequest } from '../../apis/certificates/pkcs10.ts';

export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const API_SERVER_CLIENT = 'kubernetes.io/kube-apiserver-client';
const KUBELET_SERVING = 'kubernetes.io/kubelet-serving';
const LEGACY_UNKNOWN = 'kubernetes.io/legacy-unknown';

const NODE_GROUP = 'system:nodes';
const NODE_PREFIX = 'system:node:';
const SIGNATURE = 'digital signature';
/** Only keys of RSA can encipher keys: others need not ask for it. */
const ENCIPHERMENT = 'key encipherment';
const CLIENT = 'client auth';
const SERVER = 'server auth';

/** Why what is asked for is not what the signer signs; undefined where it is. */
type Fault = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

const SIGNERS: ReadonlyMap<string, Fault> = new Map<string, Fault>([
  [API_SERVER_CLIENT, (_request, usages) => clientFault(usages)],
  [KUBELET_CLIENT, kubeletClientFault],
  [KUBELET_SERVING, kubeletServingFault],
  [LEGACY_UNKNOWN, () => undefined],
]);

/** Undefined for a signer that is somebody else. */
export function signerOf(signerName: string): Fault | undefined {
  return SIGNERS.get(signerName);
}

function clientFault(usages: readonly string[]): string | undefined {
  const other = usages.find((usage) => ![SIGNATURE, ENCIPHERMENT, CLIENT].includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes(CLIENT) ? undefined : `missing required usage for client certificate: ${CLIENT}`;
}

export function kubeletClientFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, email, ip, uri } = request.alternativeNames;
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (dns > 0) return 'DNS subjectAltNames are not allowed';
  if (email > 0) return 'Email subjectAltNames are not allowed';
  if (ip > 0) return 'IP subjectAltNames are not allowed';
  if (uri > 0) return 'URI subjectAltNames are not allowed';
  return nameFault(request) ?? usagesFault(usages, CLIENT);
}

function kubeletServingFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, email, ip, uri } = request.alternativeNames;
  if (!isOfNodes(request)) return 'subject organization is not system:nodes';
  if (dns === 0 && ip === 0) return 'DNS or IP subjectAltName is required';
  if (email > 0) return 'Email subjectAltNames are not allowed';
  if (uri > 0) return 'URI subjectAltNames are not allowed';
  return usagesFault(usages, SERVER) ?? nameFault(request);
}

const isOfNodes = ({ organizations }: CertificateRequest) =>
  organizations.length === 1 && organizations[0] === NODE_GROUP;

const nameFault = ({ commonName }: CertificateRequest) =>
  commonName.startsWith(NODE_PREFIX) ? undefined : 'subject common name does not begin with system:node:';

function usagesFault(usages: readonly string[], purpose: string): string | undefined {
  const wanted = [SIGNATURE, ENCIPHERMENT, purpose];
  const fits =
    usages.every((usage) => wanted.includes(usage)) && usages.includes(SIGNATURE) && usages.includes(purpose);
  return fits ? undefined : `usages did not match ${JSON.stringify([...wanted].sort())}`;
}
