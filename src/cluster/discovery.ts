/**
 * How a machine that knows an address, a token and the hash of a key finds the cluster that is meant, and no other.
 *
 * Source: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-join/#token-based-discovery-with-ca-pinning
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { parse } from 'yaml';
import type { ConfigMap } from '../apis/core/configMap.ts';
import { configMaps } from '../apis/core/configMap.ts';
import { createClient } from '../client/createClient.ts';
import { createHttpTransport } from '../client/http.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClusterNetwork } from './config.ts';
import { ClusterError } from './errors.ts';
import { CLUSTER_INFO, NETWORK_MAP, SIGNATURE_PREFIX } from './joining.ts';
import { hashOfCA } from './membership.ts';

export interface Invitation {
  /** `https://192.0.2.2:6443` */
  readonly server: string;
  /** `ID.SECRET` */
  readonly token: string;
  /** `sha256:…` */
  readonly caHash: string;
}

export interface Discovered {
  /** PEM */
  readonly ca: string;
  readonly network: ClusterNetwork;
  /** of this machine, under which the server sees it */
  readonly localAddress: string;
}

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const HASH = /^sha256:[0-9a-f]{64}$/;
const TIMEOUT_MS = 10_000;
const DEFAULT_PORT = 6443;

/** @param server `192.0.2.2`, `192.0.2.2:6443` or a URL @throws ClusterError for what is none */
export function serverUrl(server: string): string {
  try {
    const url = new URL(/^[a-z]+:\/\//.test(server) ? server : `https://${server}`);
    if (url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '') throw new Error('not https');
    // The port of HTTPS itself is left out by URLs, and nobody means it by saying nothing.
    const port = url.port === '' && !/:443\/?$/.test(server) ? DEFAULT_PORT : url.port || 443;
    return `https://${url.hostname}:${port}`;
  } catch {
    throw new ClusterError(`${JSON.stringify(server)} is no API server: write it as https://192.0.2.2:6443`);
  }
}

/** @throws ClusterError where the cluster is not found, or is not the one that is meant */
export async function discover(invitation: Invitation, clock: Clock): Promise<Discovered> {
  const { server, token, caHash } = invitation;
  const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
  if (id === '') throw new ClusterError('the token cannot be used: it is of the form abcdef.0123456789abcdef');
  if (!HASH.test(caHash)) {
    throw new ClusterError('--ca-hash cannot be used: it is sha256: and 64 digits from 0 to f');
  }
  const info = await readClusterInfo(server);
  const kubeconfig = info.data?.kubeconfig ?? '';
  const signature = info.data?.[`${SIGNATURE_PREFIX}${id}`];
  if (signature === undefined) {
    throw new ClusterError(
      `${server} does not know the token ${id} (any more); make one there with kubets token create`,
    );
  }
  if (!isSigned(kubeconfig, signature, secret)) {
    throw new ClusterError(`the description of the cluster at ${server} is not signed with this token`);
  }
  const ca = caOf(kubeconfig);
  if (hashOfCA(ca) !== caHash) {
    throw new ClusterError(`the cluster at ${server} is another one: its CA's key is ${hashOfCA(ca)}`);
  }
  const localAddress = await assertServer(server, ca, clock);
  const transport = createHttpTransport({ server, ca, token, clock });
  try {
    const map = await createClient(transport).get(configMaps, NETWORK_MAP);
    return { ca, network: JSON.parse(map.data?.network ?? '') as ClusterNetwork, localAddress };
  } catch (error) {
    throw new ClusterError(`${server} does not tell how the cluster's network is: ${(error as Error).message}`);
  } finally {
    await transport.close();
  }
}

/** Believes whoever answers: what is read proves itself by its signature. */
function readClusterInfo(server: string): Promise<ConfigMap> {
  const path = `/api/v1/namespaces/${CLUSTER_INFO.namespace}/configmaps/${CLUSTER_INFO.name}`;
  const failed = (why: string) => new ClusterError(`${server} cannot be asked which cluster it is: ${why}`);
  return new Promise((resolve, reject) => {
    const sent = request(`${server}${path}`, { rejectUnauthorized: false, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', (error) => reject(failed(error.message)));
      answer.on('end', () => {
        if (answer.statusCode === 200) {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as ConfigMap);
          } catch {
            reject(failed('the answer is not JSON'));
          }
        } else if (answer.statusCode === 401 || answer.statusCode === 403 || answer.statusCode === 404) {
          reject(failed('it tells nobody (make a token there with kubets token create, and let --anonymous-auth be)'));
        } else reject(failed(`it answered ${answer.statusCode}`));
      });
    });
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sent.once('error', (error) => reject(failed(error.message)));
    sent.end();
  });
}

/** A JSON Web Signature with its content left out (RFC 7515, appendix F), of the one algorithm that is meant. */
function isSigned(content: string, signature: string, secret: string): boolean {
  const [header = '', , mac = ''] = signature.split('.');
  try {
    const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: string };
    if (alg !== 'HS256') return false;
  } catch {
    return false;
  }
  const text = `${header}.${Buffer.from(content).toString('base64url')}`;
  const expected = createHmac('sha256', secret).update(text).digest();
  const given = Buffer.from(mac, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** @throws ClusterError */
function caOf(kubeconfig: string): string {
  const config = parse(kubeconfig) as { clusters?: { cluster?: { 'certificate-authority-data'?: string } }[] } | null;
  const data = config?.clusters?.[0]?.cluster?.['certificate-authority-data'];
  if (data === undefined) throw new ClusterError('the description of the cluster names no CA');
  return Buffer.from(data, 'base64').toString('utf8');
}

/** The server has a certificate of that CA for the name it is called by. Resolves with our end's address. */
function assertServer(server: string, ca: string, clock: Clock): Promise<string> {
  const url = new URL(server);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ca,
      ...(/[a-z]/i.test(host) ? { servername: host } : {}),
    });
    const timer = clock.after(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), {
      ref: true,
    });
    socket.once('secureConnect', () => {
      timer.cancel();
      resolve((socket.localAddress ?? '').replace(/^::ffff:/, ''));
      socket.end();
    });
    socket.once('error', (error) => {
      timer.cancel();
      reject(
        new ClusterError(
          `${server} cannot be believed: ${error.message}. Where it is to be called by another name, say so there: kubets up --certificate-name`,
        ),
      );
    });
  });
}
