/**
 * The socket on which monitoring on the node asks who has which device.
 * Source: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/#monitoring-device-plugin-resources
 */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Pod } from '../../apis/core/pod.ts';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { allocatableOf, type HoldingsSource, podResourcesOf } from './listing.ts';
import { POD_RESOURCES_CALLS } from './messages.ts';

export interface PodResourcesOptions {
  /** where the socket is */
  readonly dir: string;
  readonly sources: readonly HoldingsSource[];
  /** Pods that have their place here. */
  pods(): readonly Pod[];
}

type CallName = keyof typeof POD_RESOURCES_CALLS;
const SOCKET = 'kubelet.sock';

/** Listens until what it returns is called. @throws the file system's error, or that of listening */
export async function servePodResources({ dir, sources, pods }: PodResourcesOptions): Promise<() => void> {
  const answers: Record<CallName, (request: Record<string, string>) => object> = {
    list: () => ({ pod_resources: podResourcesOf(pods(), sources) }),
    getAllocatableResources: () => allocatableOf(sources),
    get: ({ pod_name: name = '', pod_namespace: namespace = '' }) => {
      const found = pods().filter(({ metadata }) => metadata?.name === name && metadata.namespace === namespace);
      const [resources] = podResourcesOf(found, sources);
      if (resources === undefined) throw new Error(`pod ${name} in namespace ${namespace} not found`);
      return { pod_resources: resources };
    },
  };
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const path = join(dir, SOCKET);
  await rm(path, { force: true });
  const server = new Server();
  const names = Object.keys(answers) as CallName[];
  const service = names.map((name) => {
    const { path: at, request, response } = POD_RESOURCES_CALLS[name];
    const definition = {
      path: at,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: object) => encodeProtobuf(request, value),
      requestDeserialize: (bytes: Buffer) => decodeProtobuf<object>(request, bytes),
      responseSerialize: (value: object) => encodeProtobuf(response, value),
      responseDeserialize: (bytes: Buffer) => decodeProtobuf<object>(response, bytes),
    } as const;
    return [name, definition] as const;
  });
  const handlers = names.map((name) => {
    const handle = ({ request }: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => {
      try {
        answer(null, answers[name](request as Record<string, string>));
      } catch (error) {
        answer({ code: status.UNKNOWN, details: (error as Error).message });
      }
    };
    return [name, handle] as const;
  });
  server.addService(Object.fromEntries(service), Object.fromEntries(handlers));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  await chmod(path, 0o600);
  return () => server.forceShutdown();
}
