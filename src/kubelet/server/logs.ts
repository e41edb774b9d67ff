/** GET /containerLogs/{namespace}/{pod}/{container} */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { badRequest, notFound } from '../../machinery/status.ts';
import type { PodView, PodViews } from './podView.ts';
import { type LogOptions, readLog } from './readLog.ts';

const PODS = { group: '', plural: 'pods' };

/** The query of a log request. @throws ApiError BadRequest */
export function logOptionsOf(query: URLSearchParams, now: number): LogOptions & { previous: boolean } {
  const sinceSeconds = numberOf(query, 'sinceSeconds', 1);
  const since = query.get('sinceTime');
  if (since !== null && sinceSeconds !== undefined)
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  const sinceTime = since === null ? undefined : Date.parse(since);
  if (Number.isNaN(sinceTime)) throw badRequest('sinceTime must be a time in RFC 3339');
  const tailLines = numberOf(query, 'tailLines', 0);
  const limitBytes = numberOf(query, 'limitBytes', 1);
  const stream = query.get('stream');
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    previous: query.get('previous') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceSeconds !== undefined
      ? { sinceTime: now - sinceSeconds * 1000 }
      : sinceTime !== undefined
        ? { sinceTime }
        : {}),
    ...(stream === 'Stdout' ? { stream: 'stdout' as const } : stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
  };
}

function numberOf(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw badRequest(`${name} must be a whole number of at least ${least}`);
  return value;
}

/** @throws ApiError before anything was sent */
export async function serveLogs(
  views: PodViews,
  pod: PodView,
  container: string,
  query: URLSearchParams,
  clock: Clock,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const options = logOptionsOf(query, clock.now());
  if (!pod.containerNames.includes(container)) throw notFound(PODS, `${pod.name}, container ${container}`);
  const view = pod.containers.get(container);
  if (view === undefined)
    throw badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.name)} is waiting to start`);
  const path = options.previous ? view.previousLogPath : view.logPath;
  if (path === undefined) {
    throw badRequest(
      `previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.name)} not found`,
    );
  }
  const isOver = () => {
    const now = views.find(pod.namespace, pod.name);
    const current = now?.uid === pod.uid ? now.containers.get(container) : undefined;
    return options.previous || current?.id !== view.id || !current.running;
  };
  const abort = new AbortController();
  res.once('close', () => abort.abort());
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' });
  res.flushHeaders();
  try {
    for await (const piece of readLog(path, options, isOver, clock, abort.signal)) {
      if (!res.write(piece)) await once(res, 'drain', { signal: abort.signal });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !abort.signal.aborted) throw error;
  }
  res.end();
  req.resume();
}
