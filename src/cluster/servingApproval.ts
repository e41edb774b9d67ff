/**
 * Approves what kubelets of this cluster ask for their servers: certificates that name the node that asks, and nobody
 * else. Kubernetes leaves that to whoever runs the cluster.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
 */
import {
  type CertificateSigningRequest,
  certificateSigningRequests,
} from '../apis/certificates/certificateSigningRequest.ts';
import { type Node, nodes } from '../apis/core/node.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Stored } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { formatTime } from '../machinery/time.ts';
import { x509 } from './certificates.ts';

export interface ServingApprovalOptions {
  /** as an administrator */
  readonly client: Client;
  /** names and addresses of the API server: no node may show itself as that */
  readonly reserved: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const SIGNER = 'kubernetes.io/kubelet-serving';
const NODE_PREFIX = 'system:node:';

/** Returns at once. */
export function startServingApproval(options: ServingApprovalOptions): void {
  const { client, reserved, clock, log, signal } = options;
  const informers = new Informers(options);
  const requests = informers.of(certificateSigningRequests, { fieldSelector: `spec.signerName=${SIGNER}` });
  const known = informers.of(nodes);
  const look = (csr: Stored<CertificateSigningRequest>) => {
    if ((csr.status?.conditions ?? []).length > 0) return;
    Promise.all([known.synced, namesIn(csr)])
      .then(async ([, names]) => {
        const fault = servingFault(csr, names, known.list(), reserved);
        if (fault !== undefined) {
          log.warn("a kubelet's request for a certificate is left to a person", { name: csr.metadata.name, fault });
          return;
        }
        await approve(client, csr, clock.now());
      })
      .catch((err: unknown) => {
        if (!signal.aborted) log.warn('a request for a certificate could not be approved', { err });
      });
  };
  requests.handle({ onAdd: look, onUpdate: look });
}

/** Why a request is not approved without a person's word; undefined where it is. @param names that it asks for */
export function servingFault(
  csr: CertificateSigningRequest,
  names: readonly string[],
  all: readonly Node[],
  reserved: readonly string[],
): string | undefined {
  const { username = '', groups = [] } = csr.spec ?? {};
  if (!username.startsWith(NODE_PREFIX) || !groups.includes('system:nodes')) return 'it is no node that asks';
  const nodeName = username.slice(NODE_PREFIX.length);
  const taken = new Set([
    ...reserved,
    ...all.filter(({ metadata }) => metadata?.name !== nodeName).flatMap((node) => addressesOf(node)),
  ]);
  // The first node shares its address and its name with the API server, and does not ask.
  const foreign = names.find((name) => taken.has(name) || (!isAddress(name) && name !== nodeName));
  return foreign === undefined ? undefined : `${foreign} is not the name or address of node ${nodeName}`;
}

const isAddress = (name: string) => name.includes(':') || /^[\d.]+$/.test(name);

const addressesOf = ({ metadata, status }: Node) => [
  metadata?.name ?? '',
  ...(status?.addresses ?? []).map(({ address }) => address),
];

/** @throws Error where the request cannot be read, or is for somebody else than who asks */
async function namesIn(csr: CertificateSigningRequest): Promise<readonly string[]> {
  const x = await x509();
  const request = new x.Pkcs10CertificateRequest(Buffer.from(csr.spec?.request ?? '', 'base64').toString('latin1'));
  if (request.subjectName.getField('CN')[0] !== csr.spec?.username) throw new Error('it asks in the name of another');
  const names = request.extensions.find((extension) => extension instanceof x.SubjectAlternativeNameExtension);
  return names?.names.toJSON().map(({ value }) => value) ?? [];
}

async function approve(client: Client, csr: Stored<CertificateSigningRequest>, now: number): Promise<void> {
  const condition = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message: 'Auto approving kubelet serving certificate of the node that asks.',
    lastUpdateTime: formatTime(now),
  };
  const approved = { ...csr, status: { ...csr.status, conditions: [condition] } };
  try {
    await client.update(certificateSigningRequests, approved, { subresource: 'approval' });
  } catch (error) {
    // Somebody else decided, or it is gone.
    if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error;
  }
}
