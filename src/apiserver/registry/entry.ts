/** One object at one revision: its bytes as clients get them, and the parsed object when somebody asks. */
import { deepFreeze } from '../../machinery/freeze.ts';
import { openingLengthOf, spliceResourceVersion } from '../../machinery/encode.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import type { Revision } from '../../storage/storage.ts';

/** Objects that a writer of this process had in hand, by the bytes that it stored: they need no parsing. */
const written = new WeakMap<Buffer, KubeObject>();

/** Remembers the object behind bytes that are about to be stored. The object must not be changed any more. */
export function rememberWritten(stored: Buffer, object: KubeObject): void {
  written.set(stored, object);
}

export class Entry {
  readonly key: string;
  readonly revision: Revision;
  /** JSON with the resourceVersion in it */
  readonly bytes: Buffer;
  readonly #kind: Kind;
  #object: Stored<KubeObject> | undefined;
  /** `{"type":"ADDED","object":…}\n` and the like, made once for all watchers */
  #events: Partial<Record<WatchVerb, Buffer>> | undefined;

  /** @param stored the bytes in the store */
  constructor(kind: Kind, key: string, revision: Revision, stored: Buffer) {
    this.#kind = kind;
    this.key = key;
    this.revision = revision;
    this.bytes = spliceResourceVersion(openingLengthOf(kind), stored, revision);
    const object = written.get(stored);
    if (object !== undefined) {
      written.delete(stored);
      this.#object = deepFreeze({
        ...object,
        metadata: { ...object.metadata, resourceVersion: String(revision) },
      }) as Stored<KubeObject>;
    }
  }

  /** Parsed at most once, frozen, shared by everything in this process. */
  get object(): Stored<KubeObject> {
    this.#object ??= deepFreeze(JSON.parse(this.bytes.toString('utf8')) as Stored<KubeObject>);
    return this.#object;
  }

  /** The bytes of a watch event with this object. */
  event(type: WatchVerb): Buffer {
    this.#events ??= {};
    let bytes = this.#events[type];
    if (bytes === undefined) {
      bytes = Buffer.concat([EVENT_OPENING[type], this.bytes, EVENT_END]);
      this.#events[type] = bytes;
    }
    return bytes;
  }

  /** The same object as the event of its deletion carries it: at the revision of the deletion. */
  at(revision: Revision): Entry {
    const start = openingLengthOf(this.#kind);
    const rest = this.bytes.subarray(start + `"resourceVersion":"${this.revision}",`.length);
    return new Entry(this.#kind, this.key, revision, Buffer.concat([this.bytes.subarray(0, start), rest]));
  }

  /** Lets go of event bytes that no watcher needs any more. */
  forgetEvents(): void {
    this.#events = undefined;
  }
}

export type WatchVerb = 'ADDED' | 'MODIFIED' | 'DELETED';

const EVENT_OPENING: Readonly<Record<WatchVerb, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

const EVENT_END = Buffer.from('}\n');
