/**
 * The certificates of a node that joined: asked for over the API, kept in a folder, and renewed before they end.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateSigningRequests } from '../apis/certificates/certificateSigningRequest.ts';
import { nodes } from '../apis/core/node.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { isApiError } from '../machinery/status.ts';
import { type KeyPair, newKeys, privatePem, readPair, SIGNING, writePair, writePrivate, x509 } from './certificates.ts';
import { ClusterError } from './errors.ts';

export interface NodeNames {
  readonly nodeName: string;
  readonly nodeIP: string;
}

interface Purpose {
  readonly file: string;
  readonly signerName: string;
  readonly usage: string;
  /** whether it names the node's addresses */
  readonly named: boolean;
}

const CLIENT: Purpose = {
  file: 'kubelet-client',
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usage: 'client auth',
  named: false,
};
const SERVING: Purpose = {
  file: 'kubelet',
  signerName: 'kubernetes.io/kubelet-serving',
  usage: 'server auth',
  named: true,
};

const LOOK_EVERY_MS = 100;
const TIMEOUT_MS = 60_000;
const RETRY_MS = 60_000;
/** Renewed when this much of its life is over, and a little later: not all nodes at once. */
const EARLIEST = 0.7;
const SPREAD = 0.2;

/** Keeps whom a node believes, and as whom it speaks. @param ca PEM */
export async function keepIdentity(dir: string, ca: string, pair: KeyPair): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writePrivate(join(dir, 'ca.crt'), ca);
  await writePair(dir, CLIENT.file, pair);
}

/** @throws the file system's error */
export function readCA(dir: string): Promise<string> {
  return readFile(join(dir, 'ca.crt'), 'utf8');
}

/** Makes a node of who has a token. @param client with the token @throws ClusterError where the cluster does not want it */
export async function becomeNode(names: NodeNames, client: Client, clock: Clock): Promise<KeyPair> {
  const { nodeName } = names;
  const there = await client.get(nodes, { name: nodeName }).catch((error: unknown) => {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  });
  if (there?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) {
    throw new ClusterError(
      `there is a node ${nodeName} already, and it is Ready; take another name with --node-name, or delete that one first`,
    );
  }
  return order(CLIENT, names, client, clock);
}

/** A certificate that is there, and is another one after it was renewed. */
export class NodeCertificate {
  readonly #dir: string;
  readonly #names: NodeNames;
  readonly #purpose: Purpose;
  #pair: KeyPair;
  readonly #listeners: ((pair: KeyPair) => void)[] = [];

  private constructor(dir: string, names: NodeNames, purpose: Purpose, pair: KeyPair) {
    this.#dir = dir;
    this.#names = names;
    this.#purpose = purpose;
    this.#pair = pair;
  }

  /** As whom the node speaks. @throws ClusterError where it has none, or none that is good any more */
  static async client(dir: string, names: NodeNames, clock: Clock): Promise<NodeCertificate> {
    const pair = await readPair(dir, CLIENT.file);
    if (pair === undefined) throw new ClusterError(`${dir} has no certificate of the node; join again with a token`);
    if (lifeOf(pair).end <= clock.now()) {
      throw new ClusterError('the certificate of the node has expired; remove the node and join again with a token');
    }
    return new NodeCertificate(dir, names, CLIENT, pair);
  }

  /** What the kubelet's server shows. @param client the node's @throws ClusterError */
  static async serving(dir: string, names: NodeNames, client: Client, clock: Clock): Promise<NodeCertificate> {
    const found = await readPair(dir, SERVING.file);
    const pair =
      found !== undefined && isGood(found, names, clock.now())
        ? found
        : await writePair(dir, SERVING.file, await order(SERVING, names, client, clock));
    return new NodeCertificate(dir, names, SERVING, pair);
  }

  get pair(): KeyPair {
    return this.#pair;
  }

  onRenewed(listener: (pair: KeyPair) => void): void {
    this.#listeners.push(listener);
  }

  /** Renews it whenever it is time, until the signal. @param client the node's */
  keepFresh(client: Client, options: { clock: Clock; random: Random; log: Logger; signal: AbortSignal }): void {
    const { clock, random, log, signal } = options;
    const { begin, end } = lifeOf(this.#pair);
    const at = begin + (end - begin) * (EARLIEST + random.float() * SPREAD);
    const again = (ms: number) => {
      clock.after(ms, () => {
        if (signal.aborted) return;
        order(this.#purpose, this.#names, client, clock)
          .then((pair) => writePair(this.#dir, this.#purpose.file, pair))
          .then((pair) => {
            this.#pair = pair;
            for (const listener of this.#listeners) listener(pair);
            log.info('a certificate of the node was renewed', { file: this.#purpose.file });
            this.keepFresh(client, options);
          })
          .catch((err: unknown) => {
            if (signal.aborted) return;
            log.warn('a certificate of the node could not be renewed; it is tried again', { err });
            again(RETRY_MS);
          });
      });
    };
    again(Math.max(0, at - clock.now()));
  }
}

function lifeOf(pair: KeyPair): { begin: number; end: number } {
  const { validFromDate, validToDate } = new X509Certificate(pair.cert);
  return { begin: validFromDate.getTime(), end: validToDate.getTime() };
}

/** Whether a server's certificate can serve on. */
function isGood(pair: KeyPair, { nodeName, nodeIP }: NodeNames, now: number): boolean {
  try {
    const cert = new X509Certificate(pair.cert);
    const names = cert.checkHost(nodeName, { wildcards: false }) !== undefined && cert.checkIP(nodeIP) !== undefined;
    return names && cert.validToDate.getTime() > now && cert.checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    return false;
  }
}

/** Asks for a certificate, and waits until it is there. @throws ClusterError where it is refused, or nobody answers */
async function order(
  purpose: Purpose,
  { nodeName, nodeIP }: NodeNames,
  client: Client,
  clock: Clock,
): Promise<KeyPair> {
  const x = await x509();
  const keys = await newKeys();
  const names = [
    { type: 'dns' as const, value: nodeName },
    { type: 'ip' as const, value: nodeIP },
  ];
  const request = await x.Pkcs10CertificateRequestGenerator.create({
    name: [{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }],
    keys,
    signingAlgorithm: SIGNING,
    extensions: purpose.named ? [new x.SubjectAlternativeNameExtension(names)] : [],
  });
  const { metadata } = await client.create(certificateSigningRequests, {
    metadata: { generateName: 'node-csr-' },
    spec: {
      request: Buffer.from(`${request.toString('pem')}\n`).toString('base64'),
      signerName: purpose.signerName,
      usages: ['digital signature', purpose.usage],
    },
  });
  const deadline = clock.monotonic() + TIMEOUT_MS;
  for (;;) {
    const { status } = await client.get(certificateSigningRequests, { name: metadata.name });
    if (status?.certificate) {
      const cert = Buffer.from(status.certificate, 'base64').toString('utf8');
      return { cert, key: privatePem(keys.privateKey) };
    }
    const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
    if (refused !== undefined) {
      throw new ClusterError(`the cluster gives node ${nodeName} no certificate: ${refused.message ?? refused.reason}`);
    }
    if (clock.monotonic() > deadline) {
      throw new ClusterError(
        `nobody approved the request ${metadata.name} for a certificate of node ${nodeName}; look with kubectl get csr`,
      );
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}
