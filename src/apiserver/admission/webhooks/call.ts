/** Calling a webhook: POST over HTTPS to a URL or to a service of the cluster, with a deadline. */
import { Agent, request } from 'node:https';
import type { WebhookClientConfig } from '../../../apis/admissionregistration/match.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { Registry } from '../../registry/registry.ts';
import { servicePlace } from '../../servicePlace.ts';

const MAX_RESPONSE_BYTES = 10 * 1024 * 1024;
/** Connections to webhooks that are kept for the next call. */
const MAX_AGENTS = 64;
const MAX_IDLE_SOCKETS = 4;

interface Place {
  readonly host: string;
  readonly port: number;
  /** what the certificate must be for */
  readonly serverName: string;
}

export interface CallOptions {
  readonly client: WebhookClientConfig;
  readonly body: string;
  readonly timeoutSeconds: number;
  readonly signal?: AbortSignal;
}

export class WebhookCaller {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #random: Random;
  /** by the CA that servers must have */
  readonly #agents = new Map<string, Agent>();

  constructor(registry: Registry, clock: Clock, random: Random) {
    this.#registry = registry;
    this.#clock = clock;
    this.#random = random;
  }

  stop(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  /** The body of the answer. @throws Error in words that stand behind `failed to call webhook: ` */
  async call(options: CallOptions): Promise<string> {
    const shown = urlOf(options);
    const url = new URL(shown);
    const fail = (why: string) => new Error(`Post ${JSON.stringify(shown)}: ${why}`);
    let place: Place;
    try {
      place = await this.#placeOf(options.client, url);
    } catch (error) {
      throw fail((error as Error).message);
    }
    return this.#post(url, place, options, fail);
  }

  #post(url: URL, place: Place, options: CallOptions, fail: (why: string) => Error): Promise<string> {
    const { client, body, timeoutSeconds, signal } = options;
    return new Promise((resolve, reject) => {
      const sent = request({
        host: place.host,
        port: place.port,
        servername: place.serverName,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: {
          Host: url.host,
          'Content-Type': 'application/json',
          Accept: 'application/json, */*',
          'Content-Length': Buffer.byteLength(body),
          'User-Agent': 'kube-apiserver-admission',
        },
        agent: this.#agentFor(client.caBundle),
      });
      let ended = false;
      const end = (settle: () => void) => {
        // What is given up fails once more, as if the webhook had hung up: that must not send the request again.
        if (ended) return;
        ended = true;
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const give = (why: string) => {
        end(() => reject(fail(why)));
        sent.destroy();
      };
      const abort = () => give('context canceled');
      const timer = this.#clock.after(timeoutSeconds * 1000, () => give('context deadline exceeded'));
      signal?.addEventListener('abort', abort, { once: true });
      let answered = false;
      sent.on('error', (error) => {
        // The webhook closed a connection that was kept, before it saw this request: a new one will do.
        const stale = sent.reusedSocket && !answered && (error as { code?: string }).code === 'ECONNRESET';
        end(() => (stale ? resolve(this.#post(url, place, options, fail)) : reject(fail(wordsOf(error, place)))));
      });
      sent.on('response', (answer) => {
        answered = true;
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_RESPONSE_BYTES) give('the response is too large');
          else chunks.push(chunk);
        });
        answer.on('error', (error) => end(() => reject(fail(wordsOf(error, place)))));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const status = answer.statusCode ?? 0;
          if (status >= 200 && status <= 206) end(() => resolve(text));
          else end(() => reject(new Error(refusalOf(status, text))));
        });
      });
      sent.end(body);
    });
  }

  #agentFor(caBundle = ''): Agent {
    let agent = this.#agents.get(caBundle);
    if (agent === undefined) {
      if (this.#agents.size >= MAX_AGENTS) this.stop();
      const ca = caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64') };
      agent = new Agent({ ...ca, keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS });
      this.#agents.set(caBundle, agent);
    }
    return agent;
  }

  async #placeOf({ service }: WebhookClientConfig, url: URL): Promise<Place> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? 443 : Number(url.port);
    if (service === undefined) return { host, port, serverName: /^[\d.]+$|:/.test(host) ? '' : host };
    const place = await servicePlace({ registry: this.#registry, random: this.#random }, { ...service, port });
    return { ...place, serverName: host };
  }
}

/** With the port of a service, also where it is the usual one: so it stands in messages. */
function urlOf({ client, timeoutSeconds }: CallOptions): string {
  const { service, url } = client;
  const text =
    service === undefined
      ? (url ?? '')
      : `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? ''}`;
  return `${text}?timeout=${timeoutSeconds}s`;
}

/** Failures of the connection, in the words that people search for. */
function wordsOf(error: Error, place: Place): string {
  const code = (error as { code?: string }).code ?? '';
  const at = `dial tcp ${place.host}:${place.port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `${at}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${at}: connect: no route to host`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${place.host}: no such host`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: certificate is not valid for ${place.serverName || place.host}`;
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    default:
      return error.message;
  }
}

function refusalOf(status: number, body: string): string {
  if (status === 404) return 'the server could not find the requested resource';
  const shown = body.slice(0, 1024).trim();
  return shown === ''
    ? `the server responded with the status code ${status} but did not return more information`
    : `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`;
}
