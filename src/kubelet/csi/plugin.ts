/** A plugin of the node behind its socket. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../lib/clock.ts';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { PLUGIN_CALLS, type PluginCall, type PluginRequest, type PluginResponse } from './messages.ts';

/** A plugin refused, or did not answer. `code` is the gRPC status. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Plugin {
  /** @throws PluginError */
  call<N extends PluginCall>(name: N, request: PluginRequest<N>): Promise<PluginResponse<N>>;
  close(): void;
}

const TIMEOUT_MS = 120_000;
/** The names of the gRPC statuses, by number. */
const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** Opens no connection yet: the first call does. */
export function connectPlugin(socketPath: string, clock: Clock): Plugin {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  return {
    call(name, request) {
      const { path, request: requestType, response: responseType } = PLUGIN_CALLS[name];
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          (value: object) => encodeProtobuf(requestType, value),
          (bytes: Buffer) => decodeProtobuf<never>(responseType, bytes),
          request as object,
          { deadline: clock.now() + TIMEOUT_MS },
          (error: ServiceError | null, response) => {
            if (error !== null) reject(refused(error));
            else resolve(response as never);
          },
        );
      });
    },
    close: () => client.close(),
  };
}

function refused({ code, details, message }: ServiceError): PluginError {
  return new PluginError(code, `rpc error: code = ${CODES[code] ?? code} desc = ${details || message}`);
}
