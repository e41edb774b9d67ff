/**
 * What a kind is: everything that the API server, the client and kubectl need to know of a
 * resource, in one value. A kind's file in `apis/` makes one with `defineKind`.
 */
import type { FieldError } from './fieldError.ts';
import type { ObjectMeta } from './meta.ts';
import type { Decoded } from './schema/decode.ts';
import type { ObjectType } from './schema/types.ts';

/** The least that every stored object has. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** An object as it comes from the API: shared, frozen, and with its metadata there. */
export type Stored<T> = Readonly<T> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<ObjectMeta> & {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
};

export interface GroupVersion {
  /** '' for the core group */
  readonly group: string;
  readonly version: string;
}

/** One column of `kubectl get`. */
export interface Column<T = KubeObject> {
  /** as kubectl prints it, in title case: `Ready`, `Nominated Node` */
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 always, 1 only with `-o wide` */
  readonly priority?: number;
  value(object: T, now: number): string | number | boolean | null;
}

export interface ScaleSubresource<T = KubeObject> {
  specReplicas(object: T): number;
  setSpecReplicas(object: T, replicas: number): void;
  statusReplicas(object: T): number;
  /** the selector in its string form */
  selector(object: T): string;
}

/** What an update may change and what follows from it. The object handed in may be mutated; `old` is frozen. */
export interface UpdateRules<T = KubeObject> {
  /**
   * Resets what this call may not change (e.g. spec, on the status subresource).
   * @param now ms since the epoch, for kinds that note when something changed
   */
  prepare?(object: T, old: T, now: number): void;
  validate?(object: T, old: T): FieldError[];
}

/** A subresource beside status and scale. */
export interface Subresource<T = KubeObject> {
  readonly kind: string;
  /** absent: the group and version of the resource itself */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly Verb[];
  /** Where the object itself is what is sent (`finalize`, `ephemeralcontainers`): what this subresource may change. */
  readonly rules?: UpdateRules<T>;
}

/** A method's type, so that a `Kind<Pod>` is a `Kind` (parameters of methods are checked both ways). */
type SelectableField<T> = { value(object: T): string }['value'];

/**
 * How a kind is stored that is but another version, or another group's name, of one that is stored already:
 * conversion is by hub and spoke. Both functions leave their argument, which may be frozen, as it is.
 */
export interface Hub<T extends KubeObject = KubeObject> {
  /** the kind that is stored; its admission, validation and update rules serve the spoke too */
  readonly kind: Kind;
  toHub(object: T): KubeObject;
  fromHub(object: KubeObject): T;
  /** What the spoke validates is all: the hub's schema does not judge what was given in another version. */
  readonly validatesAlone?: boolean;
}

/**
 * How a version is stored in another one where that is asked of somebody else: each version is a kind of its own then,
 * with a cache of its own, and objects are converted on their way from and to the store.
 */
export interface StorageConversion {
  /** Stored bytes of any version as this one's; undefined where all of them are already. @throws ApiError */
  fromStored(stored: readonly Buffer[]): Promise<Buffer[]> | undefined;
  /** Bytes of this version as they are to be stored; undefined where they are. @throws ApiError */
  toStored(bytes: Buffer): Promise<Buffer> | undefined;
  /** An object of another version as this one has it, where that was asked for not long ago. */
  known(object: KubeObject): KubeObject | undefined;
  /** Asks for it. @throws ApiError */
  load(object: KubeObject): Promise<void>;
}

export interface Kind<T extends KubeObject = KubeObject> extends GroupVersion {
  readonly kind: string;
  /** the resource: `pods` */
  readonly plural: string;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  /** `all` makes `kubectl get all` show it */
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly schema: ObjectType;
  /** `get list watch create update patch delete deletecollection`, less for kinds that are only asked (reviews: `create`) */
  readonly verbs: readonly Verb[];
  /** Reviews and bindings are answered, never stored. */
  readonly stored: boolean;
  /** This is a spoke: an object of it is stored as the hub's. What it validates is validated beside what the hub does. */
  readonly hub?: Hub<T>;

  /** How a value is read where the schema alone does not say it. Absent: as the schema says. */
  decode?(value: unknown): Decoded<T>;
  /** Stored bytes as this server writes them: what was stored in another version, or before the schema changed. */
  fromStored?(stored: Buffer): Buffer;
  /** Absent: stored as it is, or as its hub is. */
  readonly conversion?: StorageConversion;
  /** Said to whoever uses this version, which is deprecated. */
  readonly deprecation?: string;
  /** There is no strategic merge patch of it: its schema has no patch strategies. */
  readonly withoutStrategicMerge?: boolean;
  /** Without a status subresource, `status` is a field like any other: its changes raise the generation. */
  readonly countsStatus?: boolean;

  /** Defaults that need code; runs after the schema's own, on the decoded object, which it mutates. */
  setDefaults?(object: T): void;
  /** Clears status and the like before an object is first stored. */
  prepareForCreate?(object: T): void;
  /** Adds what follows from the rest of a new object, when everybody has changed it: it is nobody's. */
  completeForCreate?(object: T): void;
  /** Validates a whole new object beside its metadata, which the API server validates for every kind. */
  validate?(object: T): FieldError[];
  /** What the client is told besides, as warnings: what is deprecated, or has no effect. `old` is absent for a create. */
  warnings?(object: T, old?: T): string[];
  /** Finalizers may have names without a domain, which Kubernetes allows where it did not make the kind. */
  readonly anyFinalizer?: boolean;
  /** How the rule for names differs from a DNS-1123 subdomain. */
  readonly nameRule?: (name: string) => string[];
  /** For updates of the main resource. `prepare` keeps status as it was. */
  readonly update?: UpdateRules<T>;
  /** Whether a change of anything but metadata and status raises metadata.generation. */
  readonly hasGeneration: boolean;
  /** Whether PUT to a name that does not exist creates it. */
  readonly createOnUpdate?: boolean;
  /**
   * Seconds of grace that a delete gives. `asked` is the gracePeriodSeconds of the request, absent where it
   * gives none. A kind without this is deleted at once.
   */
  gracePeriodSeconds?(object: T, asked?: number): number;
  /** A delete is answered with the object as it was last, not with a Status. */
  readonly returnsDeleted?: boolean;

  /** status: updated apart. */
  readonly status?: UpdateRules<T>;
  readonly scale?: ScaleSubresource<T>;
  /**
   * Other subresources that this kind has, by name; the API server has a file for each
   * (`log`, `exec`, `binding`, `token`, `eviction`, …). The value is the kind that is sent or answered.
   */
  readonly subresources?: Readonly<Record<string, Subresource<T>>>;

  /** Empty: name and creation time. */
  readonly columns: readonly Column<T>[];
  /** Fields besides metadata.name and metadata.namespace that a field selector may name. */
  readonly selectableFields?: Readonly<Record<string, SelectableField<T>>>;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

export type KindDefinition<T extends KubeObject> = Pick<Kind<T>, 'kind' | 'plural' | 'schema'> &
  Partial<Kind<T>> &
  GroupVersion;

/** Completes a definition: singular, listKind, verbs and the like have their usual values. */
export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): Kind<T> {
  return {
    singular: definition.kind.toLowerCase(),
    listKind: `${definition.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: ALL_VERBS,
    stored: true,
    hasGeneration: false,
    columns: [],
    ...definition,
  };
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(gv: GroupVersion): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`;
}

/** The kind as which an object is stored: itself, but for the spokes of a hub. */
export function hubOf(kind: Kind): Kind {
  return kind.hub?.kind ?? kind;
}

/** Where the objects of a kind are stored: `/registry/apps/deployments/`. */
export function storagePrefix(of: Kind): string {
  const kind = hubOf(of);
  return kind.group === '' ? `/registry/${kind.plural}/` : `/registry/${kind.group}/${kind.plural}/`;
}
