/**
 * The CSINode of a node: which drivers run there, and what they say of the node. The node itself has it, too, for those
 * that look there: as an annotation, and as labels that say where it is.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/
 */
import { nodes } from '../../apis/core/node.ts';
import { type CSINode, type CSINodeDriver, csiNodes } from '../../apis/storage/csiNode.ts';
import type { Client } from '../../client/client.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { CsiDriverPlugin } from './drivers.ts';

const NODE_IDS = 'csi.volume.kubernetes.io/nodeid';
/** Others may write at the same time. */
const TRIES = 5;

export class CsiNodeWriter {
  readonly #client: Client;
  readonly #nodeName: string;

  constructor(client: Client, nodeName: string) {
    this.#client = client;
    this.#nodeName = nodeName;
  }

  /** Makes the CSINode where it is not there. @throws ApiError, TransportError */
  async ensure(): Promise<Stored<CSINode>> {
    const name = this.#nodeName;
    const found = await this.#client.get(csiNodes, { name }).catch(absent);
    if (found !== undefined) return found;
    const node = await this.#client.get(nodes, { name });
    const owner = { apiVersion: 'v1', kind: nodes.kind, name, uid: node.metadata.uid };
    return this.#client
      .create(csiNodes, { metadata: { name, ownerReferences: [owner] }, spec: { drivers: [] } })
      .catch((error: unknown) => {
        if (isApiError(error, 'AlreadyExists')) return this.#client.get(csiNodes, { name });
        throw error;
      });
  }

  /** @throws ApiError, TransportError */
  async add({ name, node }: CsiDriverPlugin): Promise<void> {
    await this.#tellNode(name, node.nodeID, node.topology);
    const keys = Object.keys(node.topology).sort();
    const driver: CSINodeDriver = {
      name,
      nodeID: node.nodeID,
      ...(keys.length === 0 ? {} : { topologyKeys: keys }),
      ...(node.maxVolumes === undefined ? {} : { allocatable: { count: node.maxVolumes } }),
    };
    // What a driver said of itself before may not be changed, only taken away.
    const same = (other: CSINodeDriver) => JSON.stringify(bare(other)) === JSON.stringify(bare(driver));
    await this.#change((drivers) => {
      const known = drivers.find((d) => d.name === name);
      return known === undefined || same(known) ? undefined : drivers.filter((d) => d.name !== name);
    });
    await this.#change((drivers) => {
      const known = drivers.find((d) => d.name === name);
      if (known !== undefined && known.allocatable?.count === driver.allocatable?.count) return undefined;
      return [...drivers.filter((d) => d.name !== name), driver];
    });
  }

  /** @throws ApiError, TransportError */
  async remove(name: string): Promise<void> {
    await this.#change((drivers) =>
      drivers.some((d) => d.name === name) ? drivers.filter((d) => d.name !== name) : undefined,
    );
    await this.#tellNode(name, undefined, {});
  }

  /** @param change undefined where nothing is to change */
  async #change(change: (drivers: readonly CSINodeDriver[]) => CSINodeDriver[] | undefined): Promise<void> {
    for (let i = 1; ; i++) {
      const found = await this.ensure();
      const drivers = change(found.spec?.drivers ?? []);
      if (drivers === undefined) return;
      try {
        await this.#client.update(csiNodes, { ...found, spec: { ...found.spec, drivers } });
        return;
      } catch (error) {
        if (!isApiError(error, 'Conflict') || i === TRIES) throw error;
      }
    }
  }

  async #tellNode(driver: string, nodeID: string | undefined, labels: Readonly<Record<string, string>>): Promise<void> {
    for (let i = 1; ; i++) {
      const node = await this.#client.get(nodes, { name: this.#nodeName });
      const { [driver]: _old, ...others } = idsOf(node.metadata.annotations?.[NODE_IDS]);
      const ids = nodeID === undefined ? others : { ...others, [driver]: nodeID };
      const text = Object.keys(ids).length === 0 ? null : JSON.stringify(ids);
      const missing = Object.entries(labels).some(([name, value]) => node.metadata.labels?.[name] !== value);
      if (!missing && (node.metadata.annotations?.[NODE_IDS] ?? null) === text) return;
      const { resourceVersion } = node.metadata;
      const patch = { metadata: { resourceVersion, labels, annotations: { [NODE_IDS]: text } } };
      try {
        await this.#client.patch(nodes, { name: this.#nodeName }, 'merge', patch);
        return;
      } catch (error) {
        if (!isApiError(error, 'Conflict') || i === TRIES) throw error;
      }
    }
  }
}

const bare = ({ name, nodeID, topologyKeys = [] }: CSINodeDriver) => ({ name, nodeID, topologyKeys });

/** The node's ids by driver, as the annotation says them; it may have been written by hand. */
function idsOf(text: string | undefined): Record<string, unknown> {
  try {
    const ids: unknown = JSON.parse(text ?? '{}');
    return typeof ids === 'object' && ids !== null && !Array.isArray(ids) ? { ...ids } : {};
  } catch {
    return {};
  }
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}
