/** The socket on which device plugins make themselves known. */
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { REGISTER, RegisterRequest, RegisterResponse } from './messages.ts';

const SOCKET = 'kubelet.sock';
const SUFFIX = '.sock';

/**
 * Listens until it is closed. Sockets of before are taken away: by that plugins see that they have to come again.
 * @param register a plugin says that it is there. @throws what refuses it
 */
export async function listenForPlugins(
  dir: string,
  register: (request: RegisterRequest) => Promise<void>,
): Promise<{ close(): void }> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  for (const name of await readdir(dir)) if (name.endsWith(SUFFIX)) await rm(join(dir, name), { force: true });
  const server = new Server();
  const handle = (call: ServerUnaryCall<RegisterRequest, object>, answer: sendUnaryData<object>) => {
    register(call.request).then(
      () => answer(null, {}),
      (error: Error) => answer({ code: status.INVALID_ARGUMENT, details: error.message }),
    );
  };
  server.addService(
    {
      register: {
        path: REGISTER,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: object) => encodeProtobuf(RegisterRequest, value),
        requestDeserialize: (bytes: Buffer) => decodeProtobuf<RegisterRequest>(RegisterRequest, bytes),
        responseSerialize: (value: object) => encodeProtobuf(RegisterResponse, value),
        responseDeserialize: (bytes: Buffer) => decodeProtobuf<object>(RegisterResponse, bytes),
      },
    },
    { register: handle },
  );
  const path = join(dir, SOCKET);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  await chmod(path, 0o600);
  return { close: () => server.forceShutdown() };
}
