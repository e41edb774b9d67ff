/** Where a node's kubelet is, and with which certificate it is called. */
import { type Node, nodes } from '../../apis/core/node.ts';
import type { Stored } from '../../machinery/kind.ts';
import { apiError, notFound } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { Target } from './forward.ts';

const DEFAULT_PORT = 10_250;
const ADDRESS_TYPES = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalIP', 'ExternalDNS'];

/** PEM: the API server's certificate for kubelets, and the CA of theirs. */
export interface KubeletClient {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export class Kubelets {
  readonly #registry: Registry;
  readonly #client: KubeletClient;

  constructor(registry: Registry, client: KubeletClient) {
    this.#registry = registry;
    this.#client = client;
  }

  /**
   * @param verify whether the kubelet must show a certificate of the cluster's CA
   * @throws ApiError NotFound for a node that is not there, InternalError for one without an address
   */
  async target(nodeName: string, path: string, verify = true): Promise<Target> {
    const node = await this.#node(nodeName);
    const { cert, key, ca } = this.#client;
    return {
      protocol: 'https',
      host: addressOf(node),
      port: kubeletPort(node),
      path,
      tls: { cert, key, ...(verify ? { ca } : {}) },
    };
  }

  /** @throws ApiError */
  async address(nodeName: string): Promise<{ host: string; kubeletPort: number }> {
    const node = await this.#node(nodeName);
    return { host: addressOf(node), kubeletPort: kubeletPort(node) };
  }

  async #node(name: string): Promise<Stored<Node>> {
    const cache = this.#registry.cache(nodes);
    await cache.freshen();
    const node = cache.object(undefined, name);
    if (node === undefined) throw notFound(nodes, name);
    return node;
  }
}

const kubeletPort = (node: Stored<Node>) => node.status?.daemonEndpoints?.kubeletEndpoint?.Port || DEFAULT_PORT;

function addressOf(node: Stored<Node>): string {
  for (const type of ADDRESS_TYPES) {
    const found = node.status?.addresses?.find((a) => a.type === type);
    if (found !== undefined) return found.address;
  }
  throw apiError(
    'InternalError',
    `no preferred addresses found; known addresses: ${JSON.stringify(node.status?.addresses ?? [])}`,
  );
}
