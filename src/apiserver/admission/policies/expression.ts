/** Expressions of webhooks and policies: what they may name, and how they are compiled. Imported when first needed. */
import { openObjectType } from '../../../machinery/cel/checker.ts';
import { type CelProgram, compile } from '../../../machinery/cel/compile.ts';
import { fn, type Overload } from '../../../machinery/cel/overload.ts';
import {
  BOOL,
  type CelObjectType,
  type CelType,
  DYN,
  listOf,
  mapOf,
  objectType,
  STRING,
} from '../../../machinery/cel/types.ts';
import { AUTHORIZER, authorizerOverloads } from './authorizerLibrary.ts';

/** What an expression may name besides `object`, `oldObject`, `request`, `namespaceObject` and `authorizer`. */
export interface ExpressionScope {
  readonly params: boolean;
  /** the names of `variables` */
  readonly variables: readonly string[];
  /** what is known of the objects; absent: nothing, since a policy may be for objects of many kinds */
  readonly types?: {
    readonly object: CelType;
    readonly params: CelType;
    readonly variables: Readonly<Record<string, CelType>>;
  };
}

const GROUP_KIND = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING });
const GROUP_RESOURCE = objectType('kubernetes.GroupVersionResource', {
  group: STRING,
  version: STRING,
  resource: STRING,
});
const REQUEST = objectType('kubernetes.AdmissionRequest', {
  kind: GROUP_KIND,
  resource: GROUP_RESOURCE,
  subResource: STRING,
  requestKind: GROUP_KIND,
  requestResource: GROUP_RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: objectType('kubernetes.UserInfo', {
    username: STRING,
    uid: STRING,
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: BOOL,
  options: DYN,
});

const JSON_PATCH = objectType('JSONPatch', { op: STRING, path: STRING, from: STRING, value: DYN });

const overloads: readonly Overload[] = [
  ...authorizerOverloads,
  fn('jsonpatch.escapeKey', [STRING], STRING, (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
];

function madeType(name: string): CelObjectType | undefined {
  if (name === 'JSONPatch') return JSON_PATCH;
  return name === 'Object' || name.startsWith('Object.') ? openObjectType(name) : undefined;
}

/** A program, or what is wrong. @param wanted what it must give; absent: anything */
export function compileExpression(
  expression: string,
  scope: ExpressionScope,
  wanted?: CelType,
): CelProgram | { readonly fault: string } {
  const compiled = compile(
    expression,
    {
      variables: {
        object: scope.types?.object ?? DYN,
        oldObject: scope.types?.object ?? DYN,
        namespaceObject: DYN,
        request: REQUEST,
        authorizer: AUTHORIZER,
        ...(scope.params ? { params: scope.types?.params ?? DYN } : {}),
        variables: objectType(
          'variables',
          Object.fromEntries(scope.variables.map((name) => [name, scope.types?.variables[name] ?? DYN])),
        ),
      },
      overloads,
      objectTypes: madeType,
    },
    wanted,
  );
  return compiled.ok ? compiled.program : { fault: compiled.issues[0]?.message ?? 'compilation failed' };
}

/** By domain, then by name. */
const BY_DOMAIN = mapOf(STRING, mapOf(STRING, DYN));
const DEVICE = objectType('kubernetes.Device', {
  driver: STRING,
  attributes: BY_DOMAIN,
  capacity: BY_DOMAIN,
  allowMultipleAllocations: BOOL,
});

/** What is wrong with an expression that selects devices; undefined where nothing is. */
export function deviceSelectorFault(expression: string): string | undefined {
  const compiled = compile(expression, { variables: { device: DEVICE } }, BOOL);
  return compiled.ok ? undefined : (compiled.issues[0]?.message ?? 'compilation failed');
}
