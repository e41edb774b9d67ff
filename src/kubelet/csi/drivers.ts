/** The CSI drivers that registered themselves with the kubelet. */
import { NODE_CAPABILITY } from './messages.ts';
import { type Plugin, PluginError } from './plugin.ts';

/** What a driver says of the node on which it runs. */
export interface DriverNode {
  readonly nodeID: string;
  /** absent: as many as there are */
  readonly maxVolumes?: number;
  readonly topology: Readonly<Record<string, string>>;
}

export interface CsiDriverPlugin {
  readonly name: string;
  readonly plugin: Plugin;
  readonly node: DriverNode;
  /** of NODE_CAPABILITY */
  readonly capabilities: ReadonlySet<number>;
}

/** gRPC: the driver does not have this call, or this service. */
const UNIMPLEMENTED = 12;

/** Asks a driver what it is. @throws PluginError */
export async function askDriver(name: string, plugin: Plugin): Promise<CsiDriverPlugin> {
  const info = await plugin.call('nodeGetInfo', {});
  const { capabilities = [] } = await plugin.call('nodeGetCapabilities', {}).catch((error: unknown) => {
    if (error instanceof PluginError && error.code === UNIMPLEMENTED) return { capabilities: [] };
    throw error;
  });
  const { node_id = '', max_volumes_per_node: max = 0, accessible_topology } = info;
  if (node_id === '')
    throw new PluginError(0, `error updating CSINode object with CSI driver node info: nodeID is empty`);
  return {
    name,
    plugin,
    node: { nodeID: node_id, topology: accessible_topology?.segments ?? {}, ...(max > 0 ? { maxVolumes: max } : {}) },
    capabilities: new Set(capabilities.map(({ rpc }) => rpc?.type ?? 0)),
  };
}

export const canStage = (driver: CsiDriverPlugin) => driver.capabilities.has(NODE_CAPABILITY.stage);

export class CsiDrivers {
  readonly #drivers = new Map<string, CsiDriverPlugin>();

  add(driver: CsiDriverPlugin): void {
    this.#drivers.get(driver.name)?.plugin.close();
    this.#drivers.set(driver.name, driver);
  }

  /** Does nothing where another one has the name by now. */
  remove(driver: CsiDriverPlugin): boolean {
    if (this.#drivers.get(driver.name) !== driver) return false;
    this.#drivers.delete(driver.name);
    driver.plugin.close();
    return true;
  }

  get(name: string): CsiDriverPlugin | undefined {
    return this.#drivers.get(name);
  }

  closeAll(): void {
    for (const { plugin } of this.#drivers.values()) plugin.close();
    this.#drivers.clear();
  }
}
