/** Patches of every type, right and wrong. */
import fc from 'fast-check';
import { apiVersionOf, type Kind } from '../../src/machinery/kind.ts';
import { type Body, baseOf, changeOf, objectOf } from './bodies.ts';
import { type Change, changed, oddValue } from './fields.ts';

export interface Patch {
  readonly contentType: string;
  readonly body: Body;
}

const pointerOf = (path: readonly string[]) =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const ODD_POINTERS = [
  '',
  '/',
  '/metadata',
  '/metadata/name',
  '/kind',
  '/x/y/z',
  '/__proto__/x',
  '/constructor/prototype/x',
];
ODD_POINTERS.push(
  '/metadata/labels/-',
  '/spec/containers/-',
  '/spec/containers/99',
  '/spec/containers/01',
  '~',
  'x',
  '/metadata/finalizers/0',
);

const pointer = (kind: Kind) =>
  fc.oneof(
    { weight: 3, arbitrary: changeOf(kind).map(({ path }) => pointerOf(path)) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_POINTERS) },
  );

function jsonOperation(kind: Kind): fc.Arbitrary<unknown> {
  const setting = (op: string) =>
    changeOf(kind).map(({ path, value = null }) => ({ op, path: pointerOf(path), value }));
  return fc.oneof(
    { weight: 4, arbitrary: setting('add') },
    { weight: 2, arbitrary: setting('replace') },
    { weight: 1, arbitrary: setting('test') },
    { weight: 1, arbitrary: pointer(kind).map((path) => ({ op: 'remove', path })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('move', 'copy'), pointer(kind), pointer(kind))
        .map(([op, from, path]) => ({ op, from, path })),
    },
    { weight: 1, arbitrary: oddValue },
    { weight: 1, arbitrary: oddValue.map((value) => ({ op: 'add', path: '/metadata/labels', value })) },
  );
}

/** Words of the strategic merge patch, at places where they belong and where they do not. */
const DIRECTIVES: readonly Change[] = [
  { path: ['$patch'], value: 'delete' },
  { path: ['$patch'], value: 'replace' },
  { path: ['metadata', '$patch'], value: 'delete' },
  { path: ['metadata', 'labels', '$patch'], value: 'replace' },
  { path: ['metadata', '$retainKeys'], value: ['name'] },
  { path: ['spec', '$patch'], value: 'replace' },
  { path: ['spec', '$retainKeys'], value: ['x', 1] },
  { path: ['spec', '$setElementOrder/containers'], value: [{ name: 'c' }, { name: 'd' }] },
  { path: ['spec', '$setElementOrder/containers'], value: [{}] },
  { path: ['spec', 'containers'], value: [{ name: 'c', $patch: 'delete' }] },
  { path: ['spec', 'containers'], value: [{ $patch: 'replace' }] },
  { path: ['spec', 'containers'], value: [{ $patch: 'merge' }, null, 1] },
  {
    path: ['spec', 'template', 'spec', 'containers'],
    value: [
      { name: 'c', image: 'nginx' },
      { name: 'd', image: 'x' },
    ],
  },
  { path: ['spec', 'template', 'spec', 'containers'], value: [{ image: 'without a name' }] },
  { path: ['spec', 'ports'], value: [{ port: 80, $patch: 'delete' }] },
  { path: ['metadata', '$deleteFromPrimitiveList/finalizers'], value: ['x'] },
  { path: ['metadata', '$setElementOrder/finalizers'], value: ['a', 'b'] },
  { path: ['metadata', 'finalizers'], value: ['example.com/a', 'example.com/a'] },
  { path: ['metadata', 'ownerReferences'], value: [{ uid: 'u', name: 'n', kind: 'K', apiVersion: 'v1' }] },
  { path: ['$deleteFromPrimitiveList/x'], value: 1 },
];

const json = (value: unknown): Body => ({ encoding: 'json', value });

const CONTENT = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
  applyCbor: 'application/apply-patch+cbor',
} as const;

export function patchOf(kind: Kind): fc.Arbitrary<Patch> {
  const changes = fc.array(changeOf(kind), { minLength: 1, maxLength: 3 });
  const merge = changes.map((all) =>
    changed(
      {},
      all.map(({ path, value = null }) => ({ path, value })),
    ),
  );
  const directives = fc.array(fc.constantFrom(...DIRECTIVES), { minLength: 1, maxLength: 2 });
  const strategic = fc.oneof(
    merge,
    directives.map((all) => changed({}, all)),
    fc.tuple(directives, changes).map(([a, b]) => changed({}, [...b, ...a])),
  );
  const identity = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const { metadata } = baseOf(kind) as { metadata: object };
  const applied = fc.oneof(
    objectOf(kind),
    changes.map((all) => changed({ ...identity, metadata }, all)),
  );
  const of = (contentType: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<Patch> =>
    values.map((value) => ({ contentType, body: json(value) }));
  return fc.oneof(
    { weight: 4, arbitrary: of(CONTENT.json, fc.array(jsonOperation(kind), { minLength: 1, maxLength: 4 })) },
    { weight: 3, arbitrary: of(CONTENT.merge, merge) },
    { weight: 3, arbitrary: of(CONTENT.strategic, strategic) },
    { weight: 4, arbitrary: of(CONTENT.apply, applied) },
    {
      weight: 1,
      arbitrary: applied.map((value) => ({
        contentType: CONTENT.applyCbor,
        body: { encoding: 'cbor' as const, value },
      })),
    },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(CONTENT)).chain((type) => of(type, oddValue)) },
  );
}
