/** A server of custom and external metrics, as adapters of monitoring systems are: it tells what a test gives it. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type KeyPair, TestCA } from '../../src/apiserver/testing/certificates.ts';
import { SystemClock } from '../../src/lib/clock.ts';

/** What is told, by the path behind the group and version, without the query. */
type Values = Readonly<Record<string, readonly object[]>>;

export class MetricsServer {
  values: Values = {};
  /** with their queries, without what discovery asked */
  readonly asked: string[] = [];
  readonly #server: ReturnType<typeof createServer>;

  private constructor(pair: KeyPair) {
    this.#server = createServer(pair, ({ url = '/' }, res) => {
      const { pathname } = new URL(url, 'https://here');
      const [, group, version = '', path = ''] = /^\/apis\/([^/]+)\/([^/]+)(.*)$/.exec(pathname) ?? [];
      const items = this.values[path];
      if (path !== '') this.asked.push(url);
      if (group === undefined || (path !== '' && items === undefined)) res.writeHead(404).end('{}');
      else {
        const apiVersion = `${group}/${version}`;
        const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources: [] };
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify(path === '' ? list : { kind: 'MetricValueList', apiVersion, metadata: {}, items }));
      }
    });
  }

  static async start(): Promise<MetricsServer> {
    const ca = await TestCA.create(new SystemClock());
    const server = new MetricsServer(await ca.issue('metrics'));
    await new Promise<void>((resolve) => server.#server.listen(0, 'localhost', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
