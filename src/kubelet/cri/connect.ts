/** CRI over gRPC on a unix socket. */

import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { CALLS } from './calls.ts';
import { Envelope, SubscribeRequest, TaskExit } from './containerdEvents.ts';
import { type ContainerRuntime, RuntimeError } from './runtime.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
/** gRPC keeps its deadlines in timers of 32 bits. */
const LONGEST_TIMEOUT_MS = 24 * 24 * 3600 * 1000;
/** where containerd keeps what CRI makes */
const NAMESPACE = 'k8s.io';
const EXIT_TOPIC = '/tasks/exit';
const MAX_MESSAGE_BYTES = 64 << 20;
/** Topics that change what the kubelet sees. */
const TOPICS = ['topic=="/tasks/start"', 'topic=="/tasks/exit"', 'topic=="/tasks/oom"', 'topic=="/containers/delete"'];

/** Opens no connection yet: the first call does. */
export function connectCri(socketPath: string, clock: Clock): ContainerRuntime {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  return {
    call(name, request, options) {
      const { path, request: requestType, response: responseType } = CALLS[name];
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          (value: object) => encodeProtobuf(requestType, value),
          (bytes: Buffer) => decodeProtobuf<never>(responseType, bytes),
          request as object,
          new Metadata({ waitForReady: false }),
          { deadline: clock.now() + Math.min(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS) },
          (error: ServiceError | null, response) => {
            if (error !== null) reject(new RuntimeError(error.code, error.details || error.message));
            else resolve(response as never);
          },
        );
      });
    },
    subscribe(onEvent, onEnd, signal) {
      const stream = client.makeServerStreamRequest(
        '/containerd.services.events.v1.Events/Subscribe',
        (value: object) => encodeProtobuf(SubscribeRequest, value),
        (bytes: Buffer) => decodeProtobuf<Envelope>(Envelope, bytes),
        { filters: TOPICS },
      );
      let ended = false;
      const end = () => {
        if (ended) return;
        ended = true;
        signal.removeEventListener('abort', cancel);
        if (!signal.aborted) onEnd();
      };
      const cancel = () => stream.cancel();
      stream.on('data', (event: Envelope) => {
        if (event.namespace !== NAMESPACE) return;
        const exit = exitOf(event);
        // Where only a command in a container ended, such as a probe, nothing changed.
        if (exit === undefined || exit.id === exit.container_id) onEvent(exit?.container_id);
      });
      stream.on('error', end);
      stream.on('end', end);
      signal.addEventListener('abort', cancel, { once: true });
    },
    close: () => client.close(),
  };
}

function exitOf({ topic, event }: Envelope): TaskExit | undefined {
  if (topic !== EXIT_TOPIC || event?.value === undefined) return undefined;
  return decodeProtobuf<TaskExit>(TaskExit, Buffer.from(event.value, 'base64'));
}
