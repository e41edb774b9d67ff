/** Conversion of what a request says to the version that is stored, and back. */
import type { FieldError } from '../../machinery/fieldError.ts';
import { apiVersionOf, type Kind, type KubeObject, type StorageConversion } from '../../machinery/kind.ts';
import { setDefaults } from './objects.ts';

/** A decoded object with its defaults, as it is stored. */
export function toHub(kind: Kind, object: KubeObject): KubeObject {
  if (kind.hub === undefined) return object;
  const hub = kind.hub.kind;
  const stored = { ...kind.hub.toHub(object), apiVersion: apiVersionOf(hub), kind: hub.kind };
  setDefaults(hub, stored);
  return stored;
}

/**
 * A stored object, as the version that was asked for has it.
 * @throws NotConverted where somebody else must be asked first: see `withConversions`
 */
export function fromHub(kind: Kind, object: KubeObject): KubeObject {
  if (kind.conversion !== undefined) return viewOf(kind, kind.conversion, object);
  return kind.hub === undefined ? object : kind.hub.fromHub(object);
}

function viewOf(kind: Kind, conversion: StorageConversion, object: KubeObject): KubeObject {
  if (object.apiVersion === undefined || object.apiVersion === apiVersionOf(kind)) return object;
  const known = conversion.known(object);
  if (known === undefined) throw new NotConverted(() => conversion.load(object));
  return known;
}

/** An object is needed in another version, and it is not known yet how that looks. */
class NotConverted extends Error {
  readonly load: () => Promise<void>;

  constructor(load: () => Promise<void>) {
    super('the object was not converted yet');
    this.load = load;
  }
}

/** Views that one piece of work may need. */
const MAX_VIEWS = 32;

/**
 * Does work in which objects of the kind may be needed in other versions: again, when they have come. The work must do
 * nothing before it has all of them. Kinds that need nobody else's help are worked on at once.
 * @throws ApiError
 */
export function withConversions<T>(kind: Kind, work: () => T): T | Promise<T> {
  return kind.conversion === undefined ? work() : again(work);
}

async function again<T>(work: () => T): Promise<T> {
  for (let views = 0; ; views++) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NotConverted) || views >= MAX_VIEWS) throw error;
      await error.load();
    }
  }
}

/** What a request is about, made known as `as` has it. @throws ApiError */
export async function loadViews(
  as: Kind,
  { object, oldObject }: { readonly object?: KubeObject | undefined; readonly oldObject?: KubeObject | undefined },
): Promise<void> {
  if (as.conversion === undefined) return;
  await again(() => {
    if (object !== undefined) fromHub(as, object);
    if (oldObject !== undefined) fromHub(as, oldObject);
  });
}

/**
 * What a spoke asks of an object beside what its hub does.
 * @param old as it is stored, absent where it is new
 * @param object as it is going to be stored
 */
export function spokeErrors(
  kind: Kind,
  sent: KubeObject,
  old: KubeObject | undefined,
  object: KubeObject,
): FieldError[] {
  if (kind.hub === undefined) return [];
  // Where nobody else validates, all of the object counts: what admission made of it, and what a status leaves out.
  const given = kind.hub.validatesAlone === true ? fromHub(kind, object) : sent;
  if (old === undefined) return kind.validate?.(given) ?? [];
  return kind.update?.validate?.(given, fromHub(kind, old)) ?? [];
}
