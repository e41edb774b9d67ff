/**
 * The schema language. A type of the API is written once in it; the static type, decoding,
 * defaults, OpenAPI, protobuf, merge keys and pruning all follow from that one definition.
 *
 *     export const ContainerPort = object('io.k8s.api.core.v1.ContainerPort', () => ({
 *       containerPort: req(3, int32),
 *       protocol: opt(4, str, { default: 'TCP' }),
 *     }));
 *     export interface ContainerPort extends Infer<typeof ContainerPort> {}
 *
 * Fields are given by a function, called when the type is first used: a kind that nobody
 * asks for costs nothing, and types may refer to each other in any order.
 */

/** A resource quantity in its string form, e.g. `500m`, `128Mi`. Parse it with `machinery/quantity.ts`. */
export type Quantity = string & { readonly __quantity?: never };
/** RFC 3339 with seconds, e.g. `2026-01-01T00:00:00Z`. */
export type Time = string & { readonly __time?: never };
/** RFC 3339 with microseconds. */
export type MicroTime = string & { readonly __microTime?: never };
/** Bytes as base64, which is how JSON carries them. */
export type Base64 = string & { readonly __base64?: never };
export type IntOrString = number | string;
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** The scalar types by name, each with the TypeScript type that it infers to. */
export interface ScalarTypes {
  string: string;
  boolean: boolean;
  int32: number;
  int64: number;
  double: number;
  /** base64 in JSON */
  bytes: Base64;
  quantity: Quantity;
  intOrString: IntOrString;
  time: Time;
  microTime: MicroTime;
  /** a Go duration string, e.g. `1m30s` */
  duration: string;
  /** any JSON object, kept as it is (RawExtension, FieldsV1) */
  rawObject: JsonObject;
  /** any JSON value, kept as it is */
  any: JsonValue;
}

export interface ScalarType<N extends keyof ScalarTypes = keyof ScalarTypes> {
  readonly kind: 'scalar';
  readonly scalar: N;
  /** protobuf message name where the scalar is a message on the wire */
  readonly wireType?: string;
}

/** How server-side apply and strategic merge patch see a list. */
export interface ListOptions {
  /** `x-kubernetes-list-type`; absent means atomic */
  readonly type?: 'atomic' | 'set' | 'map';
  /** `x-kubernetes-list-map-keys` */
  readonly keys?: readonly string[];
  /** `x-kubernetes-patch-strategy` */
  readonly patch?: 'merge' | 'replace' | 'retainKeys' | 'merge,retainKeys';
  /** `x-kubernetes-patch-merge-key` */
  readonly mergeKey?: string;
}

export interface ListType<T extends Type = Type> extends ListOptions {
  readonly kind: 'list';
  readonly of: T;
  readonly type: 'atomic' | 'set' | 'map';
}

export interface MapType<T extends Type = Type> {
  readonly kind: 'map';
  readonly of: T;
  readonly atomic: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

export interface ObjectType<F extends Fields = Fields> {
  readonly kind: 'object';
  /** the OpenAPI definition name, e.g. `io.k8s.api.core.v1.Container` */
  readonly name: string;
  /** built on first use, then remembered */
  readonly fields: F;
  /** `x-kubernetes-map-type: atomic` */
  readonly atomic: boolean;
  /** `x-kubernetes-preserve-unknown-fields`: unknown fields are kept (custom resources) */
  readonly preserveUnknownFields: boolean;
  readonly description?: string;
  /** The definition for OpenAPI, where it says more than the type does (custom resources). */
  readonly openApi?: (version: 'v2' | 'v3') => JsonObject;
}

export type Type = ScalarType | ListType | MapType | ObjectType;

export interface FieldOptions {
  /** A default that needs no code. One that does is in the kind's `setDefaults`. */
  readonly default?: JsonValue;
  /** The allowed values, for the OpenAPI document and validation. */
  readonly enum?: readonly string[];
  /** `x-kubernetes-patch-strategy` on a field that is not a list */
  readonly patch?: 'merge' | 'replace' | 'retainKeys' | 'merge,retainKeys';
  /** our own short description, for `kubectl explain` */
  readonly doc?: string;
  /**
   * For protobuf: absent differs from the zero value, which is only written where it is there (a pointer in Go).
   * Absent: what is required, text and times are not; objects but metadata, spec, status and template, and all
   * other scalars are.
   */
  readonly pointer?: boolean;
  /** An empty list says something that none does not: it is kept. */
  readonly keepEmpty?: boolean;
  /** discriminator and such for unions: not used by decoding */
  readonly union?: string;
}

export interface Field<T extends Type = Type, R extends boolean = boolean> extends FieldOptions {
  readonly type: T;
  readonly required: R;
  /** the protobuf field number; absent where the type has no protobuf form */
  readonly wire: number | undefined;
}

// --- the words of the language -------------------------------------------------------------

const scalar = <N extends keyof ScalarTypes>(name: N): ScalarType<N> => ({ kind: 'scalar', scalar: name });

export const str = scalar('string');
export const bool = scalar('boolean');
export const int32 = scalar('int32');
export const int64 = scalar('int64');
export const double = scalar('double');
export const bytes = scalar('bytes');
export const quantity = scalar('quantity');
export const intOrString = scalar('intOrString');
export const time = scalar('time');
export const microTime = scalar('microTime');
export const duration = scalar('duration');
export const rawObject = scalar('rawObject');
export const any = scalar('any');

/** A field that must be present. `wire` is its protobuf number. */
export function req<T extends Type>(wire: number | undefined, type: T, options?: FieldOptions): Field<T, true> {
  return { ...options, type, wire, required: true };
}

/** A field that may be absent. `wire` is its protobuf number. */
export function opt<T extends Type>(wire: number | undefined, type: T, options?: FieldOptions): Field<T, false> {
  return { ...options, type, wire, required: false };
}

export function list<T extends Type>(of: T, options: ListOptions = {}): ListType<T> {
  return { ...options, kind: 'list', of, type: options.type ?? 'atomic' };
}

export function map<T extends Type>(of: T, options: { atomic?: boolean } = {}): MapType<T> {
  return { kind: 'map', of, atomic: options.atomic ?? false };
}

/** An object type. `fields` is called once, when the type is first used. */
export function object<F extends Fields>(
  name: string,
  fields: () => F,
  options: {
    atomic?: boolean;
    preserveUnknownFields?: boolean;
    description?: string;
    openApi?: NonNullable<ObjectType['openApi']>;
  } = {},
): ObjectType<F> {
  let built: F | undefined;
  return {
    kind: 'object',
    name,
    get fields() {
      built ??= fields();
      return built;
    },
    atomic: options.atomic ?? false,
    preserveUnknownFields: options.preserveUnknownFields ?? false,
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.openApi === undefined ? {} : { openApi: options.openApi }),
  };
}

// --- inference -----------------------------------------------------------------------------

/** The TypeScript type of the values that a schema type describes. */
export type Infer<T> =
  T extends ScalarType<infer N>
    ? ScalarTypes[N]
    : T extends ListType<infer E>
      ? Infer<E>[]
      : T extends MapType<infer E>
        ? { [key: string]: Infer<E> }
        : T extends ObjectType<infer F>
          ? InferFields<F>
          : never;

type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends Field<Type, true> ? K : never }[keyof F];
type OptionalKeys<F extends Fields> = Exclude<keyof F, RequiredKeys<F>>;
type FieldValue<F> = F extends Field<infer T, boolean> ? Infer<T> : never;

export type InferFields<F extends Fields> = {
  [K in RequiredKeys<F>]: FieldValue<F[K]>;
} & {
  [K in OptionalKeys<F>]?: FieldValue<F[K]>;
};
