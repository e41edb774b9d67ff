/**
 * The life of a request for a certificate: kubelets' are approved, what is approved is signed, what is old is removed.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
import { X509Certificate } from 'node:crypto';
import type { SubjectAccessReview } from '../../apis/authorization/subjectAccessReview.ts';
import { subjectAccessReviews } from '../../apis/authorization/subjectAccessReview.ts';
import {
  type CertificateSigningRequest,
  type CertificateSigningRequestCondition,
  certificateSigningRequests,
} from '../../apis/certificates/certificateSigningRequest.ts';
import {
  type CertificateRequest,
  CertificateRequestError,
  parseCertificateRequest,
} from '../../apis/certificates/pkcs10.ts';
import type { Client } from '../../client/client.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';
import { KUBELET_CLIENT, kubeletClientFault, signerOf } from './signers.ts';

/** Who holds the key of the cluster's CA. */
export interface CertificateAuthority {
  /** @returns PEM @throws Error where the request cannot be signed */
  sign(request: CertificateOrder): Promise<string>;
}

export interface CertificateOrder {
  /** PKCS #10, PEM */
  readonly request: string;
  /** as `spec.usages` has them */
  readonly usages: readonly string[];
  readonly lifetimeSeconds: number;
}

type Request = Stored<CertificateSigningRequest>;

const HOUR_MS = 3_600_000;
/** what nobody decided on */
const PENDING_KEPT_MS = 24 * HOUR_MS;
const DECIDED_KEPT_MS = HOUR_MS;
/** Rights may be granted later. */
const ASK_AGAIN_MS = 60_000;

const LONGEST_SECONDS = 365 * 24 * 3600;
const SHORTEST_SECONDS = 600;

export function planRequest(csr: Request, authority: CertificateAuthority, client: Client, now: number): Plan {
  const expiry = expiresAt(csr);
  if (expiry !== undefined && expiry <= now) {
    return { actions: [{ verb: 'delete', kind: certificateSigningRequests as Kind, object: csr }] };
  }
  const { actions, againMs } = stepOf(csr, authority, client, now);
  const waits = [againMs, expiry === undefined ? undefined : expiry - now].filter((ms) => ms !== undefined);
  return { actions, ...(waits.length === 0 ? {} : { againMs: Math.min(...waits) }) };
}

function stepOf(csr: Request, authority: CertificateAuthority, client: Client, now: number): Plan {
  if (csr.status?.certificate || conditionOf(csr, 'Denied') || conditionOf(csr, 'Failed')) return { actions: [] };
  const parsed = parse(csr);
  if (parsed === undefined) return { actions: [] };
  return conditionOf(csr, 'Approved') !== undefined
    ? { actions: signing(csr, parsed, authority, now) }
    : approval(csr, parsed, client, now);
}

function parse(csr: Request): CertificateRequest | undefined {
  try {
    return parseCertificateRequest(csr.spec?.request ?? '');
  } catch (error) {
    if (error instanceof CertificateRequestError) return undefined;
    throw error;
  }
}

const conditionOf = (csr: Request, type: string): CertificateSigningRequestCondition | undefined =>
  csr.status?.conditions?.find((c) => c.type === type && c.status === 'True');

/** From when on nobody needs the request any more, in ms since the epoch. */
export function expiresAt(csr: Request): number | undefined {
  const { certificate } = csr.status ?? {};
  const ends: number[] = [];
  for (const type of ['Approved', 'Denied', 'Failed']) {
    const at = parseTime(conditionOf(csr, type)?.lastUpdateTime);
    if (at !== undefined && (type !== 'Approved' || certificate)) ends.push(at + DECIDED_KEPT_MS);
  }
  if (certificate) ends.push(endOf(certificate) ?? Number.POSITIVE_INFINITY);
  const made = parseTime(csr.metadata.creationTimestamp);
  if (ends.length === 0 && made !== undefined) ends.push(made + PENDING_KEPT_MS);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function endOf(certificate: string): number | undefined {
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64')).validToDate.getTime();
  } catch {
    return undefined;
  }
}

// --- approval ----------------------------------------------------------------------------------

/** Which certificates of kubelets are given without a person's word, to those who have the right to that. */
function approval(csr: Request, parsed: CertificateRequest, client: Client, now: number): Plan {
  const { signerName, usages = [], username } = csr.spec ?? {};
  if (signerName !== KUBELET_CLIENT || kubeletClientFault(parsed, usages) !== undefined) return { actions: [] };
  const own = username === parsed.commonName;
  const ways = [
    ...(own ? [{ subresource: 'selfnodeclient', what: 'self kubelet client certificate' }] : []),
    { subresource: 'nodeclient', what: 'kubelet client certificate' },
  ];
  const run = async (signal: AbortSignal): Promise<Action[]> => {
    for (const { subresource, what } of ways) {
      const review = await client.create(subjectAccessReviews, reviewOf(csr, subresource), { signal });
      if (review.status?.allowed !== true) continue;
      const message = `Auto approving ${what} after SubjectAccessReview.`;
      return [{ ...withCondition(csr, 'Approved', 'AutoApproved', message, now), subresource: 'approval' }];
    }
    return [];
  };
  return { actions: [{ verb: 'work', run }], againMs: ASK_AGAIN_MS };
}

function reviewOf({ spec }: Request, subresource: string): SubjectAccessReview {
  const { username, uid, groups, extra } = spec ?? {};
  return {
    spec: {
      ...(username === undefined ? {} : { user: username }),
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        verb: 'create',
        subresource,
      },
    },
  };
}

function withCondition(csr: Request, type: string, reason: string, message: string, now: number) {
  const condition = { type, status: 'True', reason, message, lastUpdateTime: formatTime(now) };
  const conditions = [...(csr.status?.conditions ?? []), condition];
  return statusUpdate(certificateSigningRequests, { ...csr, status: { ...csr.status, conditions } });
}

// --- signing -----------------------------------------------------------------------------------

function signing(csr: Request, parsed: CertificateRequest, authority: CertificateAuthority, now: number): Action[] {
  const { signerName, usages = [], request = '', expirationSeconds } = csr.spec ?? {};
  const faultOf = signerOf(signerName ?? '');
  if (faultOf === undefined) return [];
  const fault = faultOf(parsed, usages);
  if (fault !== undefined) return [withCondition(csr, 'Failed', 'SignerValidationFailure', fault, now)];
  const run = async (): Promise<Action[]> => {
    const pem = Buffer.from(request, 'base64').toString('latin1');
    const signed = await authority.sign({ request: pem, usages, lifetimeSeconds: lifetime(expirationSeconds) });
    const certificate = Buffer.from(signed).toString('base64');
    return [statusUpdate(certificateSigningRequests, { ...csr, status: { ...csr.status, certificate } })];
  };
  return [{ verb: 'work', run }];
}

/** For how long a certificate is given to who asks for that time. */
export function lifetime(seconds: number | undefined): number {
  return Math.max(SHORTEST_SECONDS, Math.min(seconds ?? LONGEST_SECONDS, LONGEST_SECONDS));
}
