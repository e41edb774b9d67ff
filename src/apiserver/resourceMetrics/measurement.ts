/** A measurement as an entry of a list, though it is stored nowhere and has no resourceVersion. */
import { deepFreeze } from '../../machinery/freeze.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { Entry } from '../registry/entry.ts';

const NOTHING = Buffer.alloc(0);

export class Measurement extends Entry {
  readonly #object: Stored<KubeObject>;
  #json: Buffer | undefined;

  constructor(kind: Kind, object: KubeObject) {
    super(kind, '', 0, NOTHING);
    // Nobody who reads measurements asks for uid and resourceVersion.
    this.#object = deepFreeze(object) as Stored<KubeObject>;
  }

  override get object(): Stored<KubeObject> {
    return this.#object;
  }

  override get bytes(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(this.#object));
    return this.#json;
  }
}
