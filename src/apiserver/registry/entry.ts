/** One object at one revision: its bytes as clients get them, and the parsed object when somebody asks. */
import { encodeStored, openingLengthOf, spliceResourceVersion } from '../../machinery/encode.ts';
import { parseExactJson } from '../../machinery/exactJson.ts';
import { deepFreeze } from '../../machinery/freeze.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import type { Revision } from '../../storage/storage.ts';

/** Objects that a writer of this process had in hand, by the bytes that it stored: they need no parsing. */
const written = new WeakMap<Buffer, KubeObject>();

/** Remembers the object behind bytes that are about to be stored. The object must not be changed any more. */
export function rememberWritten(stored: Buffer, object: KubeObject): void {
  written.set(stored, object);
}

export type WatchVerb = 'ADDED' | 'MODIFIED' | 'DELETED';

export class Entry {
  readonly key: string;
  readonly revision: Revision;
  /** in bytes, without the resourceVersion */
  readonly size: number;
  readonly #kind: Kind;
  /** the bytes without a resourceVersion, until somebody asks for those with it: parts of the process never do */
  #stored: Buffer | undefined;
  #bytes: Buffer | undefined;
  #object: Stored<KubeObject> | undefined;
  /** the same object, but for the resourceVersion: spares parsing */
  #origin: KubeObject | undefined;
  /** `{"type":"ADDED","object":…}\n` and the like, shared by all watchers that are told in one turn */
  #event: Buffer | undefined;
  #eventType: WatchVerb | undefined;
  /** in other encodings, by what makes them; made when first asked for */
  #encoded: Map<object, Buffer> | undefined;
  /** events in other encodings, by what makes them, like `#event` */
  #frames: Map<object, { readonly type: WatchVerb; readonly bytes: Buffer }> | undefined;
  /** as other versions have it; made when first asked for */
  #versions: Map<Kind, Entry> | undefined;

  /** @param stored the bytes in the store */
  constructor(kind: Kind, key: string, revision: Revision, stored: Buffer) {
    this.#kind = kind;
    this.key = key;
    this.revision = revision;
    this.#origin = written.get(stored);
    // What this process wrote just now is as it should be.
    this.#stored = this.#origin === undefined && kind.fromStored !== undefined ? kind.fromStored(stored) : stored;
    this.size = this.#stored.length;
    written.delete(stored);
  }

  /** JSON with the resourceVersion in it */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      // One of the two is always there.
      this.#bytes = spliceResourceVersion(openingLengthOf(this.#kind), this.#stored as Buffer, this.revision);
      this.#stored = undefined;
    }
    return this.#bytes;
  }

  /** Parsed at most once, frozen, shared by everything in this process. */
  get object(): Stored<KubeObject> {
    if (this.#object === undefined) {
      this.#object = deepFreeze(this.#parsed());
      this.#origin = undefined;
    }
    return this.#object;
  }

  #parsed(): Stored<KubeObject> {
    if (this.#origin === undefined) return parseExactJson(this.bytes.toString('utf8')) as Stored<KubeObject>;
    return withRevision(this.#origin, this.revision);
  }

  /** The same object as another version of its kind has it. */
  as(kind: Kind): Entry {
    if (kind === this.#kind || kind.hub === undefined) return this;
    let entry = this.#versions?.get(kind);
    if (entry === undefined) {
      const object = kind.hub.fromHub(this.object);
      const stored = encodeStored(kind, object);
      rememberWritten(stored, object);
      entry = new Entry(kind, this.key, this.revision, stored);
      this.#versions ??= new Map();
      this.#versions.set(kind, entry);
    }
    return entry;
  }

  /** The bytes of a watch event with this object; made once until `forgetEvent`. */
  event(type: WatchVerb): Buffer {
    if (this.#event === undefined || this.#eventType !== type) {
      const opening = EVENT_OPENING[type];
      const { bytes } = this;
      const event = Buffer.allocUnsafe(opening.length + bytes.length + EVENT_END.length);
      opening.copy(event);
      bytes.copy(event, opening.length);
      EVENT_END.copy(event, opening.length + bytes.length);
      this.#event = event;
      this.#eventType = type;
    }
    return this.#event;
  }

  /** The object in another encoding, made once. */
  encodedBy(format: object, make: () => Buffer): Buffer {
    let bytes = this.#encoded?.get(format);
    if (bytes === undefined) {
      bytes = make();
      this.#encoded ??= new Map();
      this.#encoded.set(format, bytes);
    }
    return bytes;
  }

  /** An event in another encoding, made once until `forgetEvent`. */
  eventBy(format: object, type: WatchVerb, make: () => Buffer): Buffer {
    const made = this.#frames?.get(format);
    if (made?.type === type) return made.bytes;
    const bytes = make();
    this.#frames ??= new Map();
    this.#frames.set(format, { type, bytes });
    return bytes;
  }

  /** Every watcher has been told: lets go of the bytes, so that a cache does not hold each object twice. */
  forgetEvent(): void {
    this.#event = undefined;
    this.#eventType = undefined;
    this.#frames = undefined;
  }

  /** The same object as the event of its deletion carries it: at the revision of the deletion. */
  at(revision: Revision): Entry {
    const entry = new Entry(this.#kind, this.key, revision, this.#stored ?? this.#withoutRevision(this.bytes));
    entry.#origin = this.#object ?? this.#origin;
    return entry;
  }

  #withoutRevision(bytes: Buffer): Buffer {
    const start = openingLengthOf(this.#kind);
    const rest = bytes.subarray(start + `"resourceVersion":"${this.revision}",`.length);
    return Buffer.concat([bytes.subarray(0, start), rest]);
  }
}

function withRevision(object: KubeObject, revision: Revision): Stored<KubeObject> {
  const { metadata, apiVersion, kind, ...rest } = object;
  const { resourceVersion: _old, ...meta } = metadata ?? {};
  // The order is that of the bytes.
  return { apiVersion, kind, metadata: { resourceVersion: String(revision), ...meta }, ...rest } as Stored<KubeObject>;
}

const EVENT_OPENING: Readonly<Record<WatchVerb, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};

const EVENT_END = Buffer.from('}\n');
