/**
 * What the kubelet's server tells of the node: statistics, metrics, configuration, the system's logs.
 * Source: https://kubernetes.io/docs/reference/instrumentation/node-metrics/
 */
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { exposition, type Family, METRICS_TYPE } from '../../lib/exposition.ts';
import { apiError } from '../../machinery/status.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { NodeReading } from '../stats/reading.ts';
import { resourceMetricsOf } from '../stats/resourceMetrics.ts';
import type { StatisticsWanted } from '../stats/statistics.ts';
import { summaryOf } from '../stats/summary.ts';

/** What a kubelet can tell of its node. */
export interface NodeReports {
  readonly configuration: KubeletConfiguration;
  /** @throws RuntimeError */
  statistics(wanted?: StatisticsWanted): Promise<NodeReading>;
  metrics(): Promise<Family[]>;
  probes(): Family[];
  /** @throws RuntimeError */
  cadvisor(): Promise<Family[]>;
}

const LOGS = '/var/log';
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

export class Reports {
  readonly #of: NodeReports;
  /** the last reading that was told, for rates */
  #before: NodeReading | undefined;

  constructor(of: NodeReports) {
    this.#of = of;
  }

  /** @param query of the request. @throws ApiError for what there is not, and what reading throws */
  async serve(path: string, query: URLSearchParams, res: ServerResponse): Promise<void> {
    const send = (type: string, body: string) => res.writeHead(200, { 'Content-Type': type }).end(body);
    const wanted = path.replace(/\/$/, '');
    switch (wanted) {
      case '/stats/summary':
        send(JSON_TYPE, JSON.stringify(await this.#summary(query.get('only_cpu_and_memory') === 'true')));
        return;
      case '/metrics/resource':
        send(METRICS_TYPE, resourceMetricsOf(await this.#of.statistics()));
        return;
      case '/metrics':
        send(METRICS_TYPE, exposition(await this.#of.metrics()));
        return;
      case '/metrics/cadvisor':
        send(METRICS_TYPE, exposition(await this.#of.cadvisor()));
        return;
      case '/metrics/probes':
        send(METRICS_TYPE, exposition(this.#of.probes()));
        return;
      case '/configz': {
        const kubeletconfig = { kind: 'KubeletConfiguration', apiVersion: 'kubelet.config.k8s.io/v1beta1' };
        send(JSON_TYPE, JSON.stringify({ kubeletconfig: { ...kubeletconfig, ...this.#of.configuration } }));
        return;
      }
      default:
        if (path.startsWith('/logs/') || path === '/logs') return serveSystemLog(path.slice('/logs'.length), res);
        throw apiError('NotFound', `the kubelet has nothing at ${path}`);
    }
  }

  async #summary(brief: boolean): Promise<object> {
    const reading = await this.#of.statistics({ networks: !brief, volumes: !brief });
    const summary = summaryOf(reading, this.#before);
    this.#before = reading;
    return summary;
  }
}

/** A file below the system's folder of logs, or what a folder there holds. @throws ApiError NotFound */
async function serveSystemLog(path: string, res: ServerResponse): Promise<void> {
  const missing = () => apiError('NotFound', '404 page not found');
  // Links lead to other logs, and must not lead elsewhere.
  const root = await realpath(LOGS).catch(() => LOGS);
  const file = await realpath(join(LOGS, decodeURIComponent(path))).catch(() => undefined);
  if (file === undefined || (file !== root && !file.startsWith(`${root}/`))) throw missing();
  const found = await stat(file);
  if (found.isDirectory()) {
    const entries = await readdir(file, { withFileTypes: true });
    const names = entries.map((e) => (e.isDirectory() ? `${e.name}/` : e.name)).sort();
    const lines = names.map((name) => `<a href="${encodeURI(name)}">${escaped(name)}</a>\n`);
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<pre>\n${lines.join('')}</pre>\n`);
    return;
  }
  if (!found.isFile()) throw missing();
  res.writeHead(200, { 'Content-Type': TEXT });
  // As much as there is now: it grows while it is read.
  await pipeline(createReadStream(file, { end: Math.max(0, found.size - 1) }), res);
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&#34;');
