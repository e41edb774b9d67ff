/** A CSI driver for tests, in this process: its volumes are folders, which it mounts. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import {
  NODE_CAPABILITY,
  PLUGIN_CALLS,
  type PluginCall,
  type PluginRequest,
  type PluginResponse,
} from '../../src/kubelet/csi/messages.ts';
import { decodeProtobuf, encodeProtobuf } from '../../src/machinery/schema/protobuf.ts';

type Handlers = { [N in PluginCall]?: (request: PluginRequest<N>) => PluginResponse<N> };

export interface CsiDriverOptions {
  readonly name: string;
  readonly nodeID: string;
  /** where its volumes are, a folder each, and its socket */
  readonly dir: string;
  /** where kubelets look for plugins */
  readonly registry: string;
  readonly stages?: boolean;
  readonly topology?: Record<string, string>;
  /** what it says of itself when it registers, other than usual */
  readonly info?: { readonly type?: string; readonly supported_versions?: string[] };
}

export class TestCsiDriver {
  /** each call, with what it was asked, but for what is asked at registration */
  readonly calls: { readonly call: PluginCall; readonly request: Record<string, unknown> }[] = [];
  /** what the kubelet said of the registration */
  readonly registrations: { readonly plugin_registered?: boolean; readonly error?: string }[] = [];
  /** calls that fail, with what they say */
  readonly failing = new Map<PluginCall, string>();
  /** block devices, by the handle of the volume */
  readonly devices = new Map<string, string>();
  readonly #o: CsiDriverOptions;
  #servers: Server[] = [];

  constructor(options: CsiDriverOptions) {
    this.#o = options;
  }

  volume(handle: string): string {
    const path = join(this.#o.dir, 'volumes', handle);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Listens, and registers. */
  async start(): Promise<void> {
    const { name, nodeID, dir, registry, stages = true, topology } = this.#o;
    mkdirSync(dir, { recursive: true });
    mkdirSync(registry, { recursive: true });
    const endpoint = join(dir, 'csi.sock');
    await this.#serve(endpoint, {
      getPluginInfo: () => ({ name, vendor_version: '1' }),
      nodeGetInfo: () => ({
        node_id: nodeID,
        max_volumes_per_node: 7,
        accessible_topology: { segments: topology ?? {} },
      }),
      nodeGetCapabilities: () => ({
        capabilities: [NODE_CAPABILITY.expand, ...(stages ? [NODE_CAPABILITY.stage] : [])].map((type) => ({
          rpc: { type },
        })),
      }),
      nodeExpandVolume: ({ capacity_range }) => ({ capacity_bytes: capacity_range?.required_bytes ?? 0 }),
      nodeStageVolume: ({ volume_id = '', staging_target_path = '', volume_capability }) => {
        if (volume_capability?.block === undefined) mount(this.volume(volume_id), staging_target_path);
        return {};
      },
      nodeUnstageVolume: ({ staging_target_path = '' }) => {
        unmount(staging_target_path);
        return {};
      },
      nodePublishVolume: ({ volume_id = '', staging_target_path, target_path = '', readonly, volume_capability }) => {
        const device = this.devices.get(volume_id);
        if (volume_capability?.block !== undefined && device !== undefined) {
          writeFileSync(target_path, '');
          mount(device, target_path);
          return {};
        }
        mkdirSync(target_path, { recursive: true });
        mount(staging_target_path || this.volume(volume_id), target_path, readonly);
        return {};
      },
      nodeUnpublishVolume: ({ target_path = '' }) => {
        unmount(target_path);
        if (existsSync(target_path)) rmSync(target_path, { recursive: true });
        return {};
      },
    });
    await this.#serve(join(registry, `${name}-reg.sock`), {
      getInfo: () => ({ type: 'CSIPlugin', name, endpoint, supported_versions: ['1.0.0'], ...this.#o.info }),
      notifyRegistrationStatus: (told) => {
        this.registrations.push(told);
        return {};
      },
    });
  }

  /** As when its pod ends: the sockets go. */
  stop(): void {
    for (const server of this.#servers.splice(0)) server.forceShutdown();
    rmSync(join(this.#o.registry, `${this.#o.name}-reg.sock`), { force: true });
    rmSync(join(this.#o.dir, 'csi.sock'), { force: true });
  }

  requests(call: PluginCall): Record<string, unknown>[] {
    return this.calls.filter((c) => c.call === call).map((c) => c.request);
  }

  async #serve(socket: string, handlers: Handlers): Promise<void> {
    const server = new Server();
    rmSync(socket, { force: true });
    for (const [name, handler] of Object.entries(handlers) as [PluginCall, (request: object) => object][]) {
      const { path, request: requestType, response: responseType } = PLUGIN_CALLS[name];
      const definition = {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: object) => Buffer.from(encodeProtobuf(requestType, value)),
        requestDeserialize: (bytes: Buffer) => decodeProtobuf<Record<string, unknown>>(requestType, bytes),
        responseSerialize: (value: object) => Buffer.from(encodeProtobuf(responseType, value)),
        responseDeserialize: (bytes: Buffer) => decodeProtobuf<object>(responseType, bytes),
      };
      server.addService(
        { [name]: definition },
        {
          [name]: (
            { request }: { request: Record<string, unknown> },
            answer: (e: object | null, v?: object) => void,
          ) => {
            if (name.startsWith('node') && !name.startsWith('nodeGet')) this.calls.push({ call: name, request });
            const failure = this.failing.get(name);
            if (failure !== undefined) answer({ code: status.INTERNAL, details: failure });
            else {
              try {
                answer(null, handler(request));
              } catch (error) {
                answer({ code: status.INTERNAL, details: (error as Error).message });
              }
            }
          },
        },
      );
    }
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#servers.push(server);
  }
}

const isMounted = (path: string) => spawnSync('mountpoint', ['-q', path]).status === 0;

function mount(source: string, target: string, readOnly = false): void {
  if (isMounted(target)) return;
  for (const args of [['--bind', source, target], ...(readOnly ? [['-o', 'remount,bind,ro', target]] : [])]) {
    const { status: code, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
    if (code !== 0) throw new Error(stderr);
  }
}

function unmount(path: string): void {
  if (isMounted(path)) spawnSync('umount', [path]);
}
