/** A device plugin behind its socket. */
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import {
  DEVICE_CALLS,
  type DeviceCall,
  type DeviceRequest,
  type DeviceResponse,
  LIST_AND_WATCH,
  ListAndWatchRequest,
  ListAndWatchResponse,
  type PluginDevice,
} from './messages.ts';

const TIMEOUT_MS = 30_000;

export class DeviceEndpoint {
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(socketPath: string, clock: Clock) {
    this.#client = new Client(`unix://${socketPath}`, credentials.createInsecure());
    this.#clock = clock;
  }

  /** @throws Error what the plugin says, or that it does not answer */
  call<N extends DeviceCall>(name: N, request: DeviceRequest<N>): Promise<DeviceResponse<N>> {
    const { path, request: requestType, response: responseType } = DEVICE_CALLS[name];
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (value: object) => encodeProtobuf(requestType, value),
        (bytes: Buffer) => decodeProtobuf<never>(responseType, bytes),
        request as object,
        new Metadata(),
        { deadline: this.#clock.now() + TIMEOUT_MS },
        (error: ServiceError | null, response) => {
          if (error !== null) reject(new Error(error.details || error.message));
          else resolve(response as never);
        },
      );
    });
  }

  /** Tells of the devices whenever they change. @param onEnd the plugin is gone */
  watch(onDevices: (devices: readonly PluginDevice[]) => void, onEnd: () => void): void {
    const stream = this.#client.makeServerStreamRequest(
      LIST_AND_WATCH,
      (value: object) => encodeProtobuf(ListAndWatchRequest, value),
      (bytes: Buffer) => decodeProtobuf<ListAndWatchResponse>(ListAndWatchResponse, bytes),
      {},
    );
    let ended = false;
    const end = () => {
      if (!ended) onEnd();
      ended = true;
    };
    stream.on('data', ({ devices = [] }: ListAndWatchResponse) => onDevices(devices));
    stream.on('error', end);
    stream.on('end', end);
  }

  close(): void {
    this.#client.close();
  }
}
