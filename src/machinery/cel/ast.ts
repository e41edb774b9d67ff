/** What the parser makes of an expression. Macros are nodes of their own. */

interface At {
  /** into the expression */
  readonly position: number;
}

/** The macros that go through a list or a map. */
export type Iteration =
  | 'all'
  | 'exists'
  | 'existsOne'
  | 'map'
  | 'filter'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry';

export type Node = At &
  (
    | { readonly k: 'literal'; readonly value: null | boolean | bigint | number | string | Uint8Array }
    | { readonly k: 'uint'; readonly value: bigint }
    | { readonly k: 'ident'; readonly name: string; readonly root: boolean }
    | { readonly k: 'select'; readonly of: Node; readonly field: string; readonly optional: boolean }
    /** `has(a.b)` */
    | { readonly k: 'has'; readonly of: Node; readonly field: string; readonly optional: boolean }
    | { readonly k: 'index'; readonly of: Node; readonly key: Node; readonly optional: boolean }
    | { readonly k: 'call'; readonly name: string; readonly target?: Node; readonly args: readonly Node[] }
    | { readonly k: 'and' | 'or'; readonly left: Node; readonly right: Node }
    | { readonly k: 'if'; readonly condition: Node; readonly then: Node; readonly otherwise: Node }
    | { readonly k: 'list'; readonly items: readonly { readonly node: Node; readonly optional: boolean }[] }
    | { readonly k: 'map'; readonly entries: readonly MapEntry[] }
    | { readonly k: 'struct'; readonly name: string; readonly fields: readonly StructField[] }
    | {
        readonly k: 'iterate';
        readonly how: Iteration;
        readonly over: Node;
        /** one: element or key; two: index or key, and value */
        readonly variables: readonly string[];
        readonly filter?: Node;
        readonly body: Node;
      }
    | { readonly k: 'bind'; readonly name: string; readonly value: Node; readonly body: Node }
    | { readonly k: 'optMap'; readonly flat: boolean; readonly of: Node; readonly name: string; readonly body: Node }
  );

export interface MapEntry {
  readonly key: Node;
  readonly value: Node;
  readonly optional: boolean;
}

export interface StructField extends At {
  readonly name: string;
  readonly value: Node;
  readonly optional: boolean;
}
