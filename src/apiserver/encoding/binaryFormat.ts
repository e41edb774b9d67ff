/** An encoding beside JSON in which objects are kept once they were asked for: protobuf, CBOR. */
import type { KubeObject } from '../../machinery/kind.ts';
import type { ObjectType } from '../../machinery/schema/types.ts';
import type { ListBody, ListMeta } from './listBody.ts';

export interface Names {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface BinaryFormat {
  /** The bytes of an object, which are kept and stand in lists as they are. */
  item(object: KubeObject | object, type: ObjectType | undefined): Buffer;
  /** An item as an answer of its own, or in an event. */
  whole(names: Names, item: Buffer): Buffer;
  list(names: Names, meta: ListMeta, items: readonly Buffer[]): ListBody;
  /** An event of a watch. @param object as `whole` made it */
  event(type: string, object: Buffer): Buffer;
}
