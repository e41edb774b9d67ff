/** Short forms of what the contract's tests do to a store. */
import type { Operation, Revision, Storage, TransactionResponse } from '../storage.ts';

export const bytes = (text: string): Buffer => Buffer.from(text);

export function put(storage: Storage, key: string, value: string, lease = 0): Promise<TransactionResponse> {
  return write(storage, putOf(key, value, lease));
}

export function remove(storage: Storage, key: string, end?: string): Promise<TransactionResponse> {
  return write(storage, { op: 'delete', key, ...(end === undefined ? {} : { end }) });
}

export function write(storage: Storage, ...success: Operation[]): Promise<TransactionResponse> {
  return storage.txn({ compare: [], success, failure: [] });
}

export function putOf(key: string, value: string, lease = 0): Operation {
  return { op: 'put', key, value: bytes(value), ...(lease === 0 ? {} : { lease }) };
}

/** Keys and values of a range, as text. */
export async function read(
  storage: Storage,
  key: string,
  end?: string,
  revision?: Revision,
): Promise<Record<string, string>> {
  const { kvs } = await storage.range({
    key,
    ...(end === undefined ? {} : { end }),
    ...(revision === undefined ? {} : { revision }),
  });
  return Object.fromEntries(kvs.map((kv) => [kv.key, kv.value.toString()]));
}
