/**
 * The HTTP request of a probe or of a lifecycle hook.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { HTTPGetAction } from '../../apis/core/container.ts';
import type { ProbeResult } from './prober.ts';

/** The action took longer than it may. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

const MAX_BODY_BYTES = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

/**
 * Asks once, and follows where the answer leads as long as it is the same host; never throws.
 * @param hook whether any answer is a good one
 */
export async function httpGet(
  action: HTTPGetAction,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
  hook: boolean,
): Promise<ProbeResult> {
  const path = action.path?.startsWith('/') === false ? `/${action.path}` : (action.path ?? '/');
  const scheme = action.scheme === 'HTTPS' ? 'https' : 'http';
  const first = `${scheme}://${bracketed(host)}:${port}${path}`;
  const headers = headersOf(action, hook ? 'kube-lifecycle/1.36' : 'kube-probe/1.36');
  const warning = `request to HTTPS lifecycle hook ${bracketed(host)}:${port} got HTTP response, retry with HTTP succeeded`;
  let url = first;
  let plainly = false;
  try {
    for (let step = 0; step < MAX_REDIRECTS; step++) {
      const answer = await ask(url, headers, signal).catch((error: Error) => {
        if (!hook || !speaksPlainly(url, error)) throw error;
        plainly = true;
        return ask(url.replace(/^https:/, 'http:'), headers, signal);
      });
      const next = nextOf(url, answer);
      if (next === undefined) return plainly ? { ok: true, message: '', warning } : verdictOn(answer, hook);
      // A name that was given for the first place is not that of another.
      if (/^\w+:/.test(answer.location ?? '')) delete headers.host;
      url = next;
    }
    return { ok: false, message: `Get ${JSON.stringify(url)}: stopped after ${MAX_REDIRECTS} redirects` };
  } catch (error) {
    const late = signal.aborted && signal.reason instanceof TimeoutError;
    const why = late
      ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
      : describe(error as NodeJS.ErrnoException, host, port);
    return { ok: false, message: `Get ${JSON.stringify(url)}: ${why}` };
  }
}

/** What answers a request over TLS in plain HTTP looks like TLS gone wrong. */
function speaksPlainly(url: string, error: Error): boolean {
  return url.startsWith('https:') && /packet length too long|wrong version number|http request/.test(error.message);
}

function headersOf(action: HTTPGetAction, agent: string): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': agent, accept: '*/*', connection: 'close' };
  for (const { name = '', value = '' } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return headers;
}

/** Where an answer leads within the same host. */
function nextOf(url: string, { status, location }: Answer): string | undefined {
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, url)) return undefined;
  const next = new URL(location, url);
  const known = next.protocol === 'http:' || next.protocol === 'https:';
  return known && next.hostname === new URL(url).hostname ? next.href : undefined;
}

function verdictOn({ status, body }: Answer, hook: boolean): ProbeResult {
  if (hook || (status >= 200 && status < 300)) return { ok: true, message: '' };
  if (status < 200 || status >= 400) return { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
  return { ok: true, message: '', warning: `Probe terminated redirects, Response body: ${body}` };
}

/** @throws Error where no answer comes */
function ask(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { headers, agent: false as const, signal };
    const req = url.startsWith('https:')
      ? httpsRequest(url, { ...options, rejectUnauthorized: false })
      : httpRequest(url, options);
    req.on('error', reject);
    req.on('response', (res) => {
      readSome(res)
        .then((body) => resolve({ status: res.statusCode ?? 0, location: res.headers.location, body }), reject)
        .finally(() => req.destroy());
    });
    req.end();
  });
}

/** The beginning of what is sent. @throws Error where it breaks off before */
function readSome(res: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const done = () => resolve(Buffer.concat(parts).subarray(0, MAX_BODY_BYTES).toString('utf8'));
    res.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) done();
    });
    res.on('error', reject);
    res.on('end', done);
  });
}

/** Why a connection came to nothing. */
export function describe(error: NodeJS.ErrnoException, host: string, port: number): string {
  const to = `dial tcp ${bracketed(host)}:${port}: connect:`;
  if (error.code === 'ECONNREFUSED') return `${to} connection refused`;
  if (error.code === 'EHOSTUNREACH') return `${to} no route to host`;
  return error.code === 'ECONNRESET' ? `read tcp ${bracketed(host)}:${port}: connection reset by peer` : error.message;
}
