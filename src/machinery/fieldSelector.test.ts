import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesFields, parseFieldSelector, requiredValue, unsupportedFields } from './fieldSelector.ts';
import { defineKind, type KubeObject } from './kind.ts';
import { SelectorSyntaxError } from './labelSelector.ts';
import { ObjectMeta } from './meta.ts';
import { object, opt, str } from './schema/types.ts';

interface Thing extends KubeObject {
  phase?: string;
}

const things = defineKind<Thing>({
  group: '',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  schema: object('Thing', () => ({ metadata: opt(1, ObjectMeta), phase: opt(2, str) })),
  selectableFields: { phase: (thing) => thing.phase ?? '' },
});

const thing: Thing = { metadata: { name: 'a,b=c\\', namespace: 'ns' }, phase: 'Running' };

describe('a query', () => {
  it.each([
    ['', true],
    ['phase=Running', true],
    ['phase==Running', true],
    ['phase!=Running', false],
    [' phase =Running', true],
    ['metadata.namespace=ns,phase!=', true],
    ['metadata.name=a\\,b\\=c\\\\', true],
    ['metadata.name=a\\,b\\=c\\\\,phase=Running', true],
  ])('%j gives %j', (query, expected) =>
    expect(matchesFields(parseFieldSelector(query), things, thing)).toBe(expected),
  );

  it.each(['phase', '=x', 'phase=a=b', 'phase=a\\b', 'phase=a\\', '!phase', 'a\\=b=c'])('%j is refused', (query) =>
    expect(() => parseFieldSelector(query)).toThrow(SelectorSyntaxError),
  );

  it('carries any value that is escaped', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const escaped = (text: string) => text.replace(/[\\,=]/g, '\\$&');
        expect(parseFieldSelector(`x=${escaped(a)},y!=${escaped(b)}`)).toEqual([
          { field: 'x', equal: true, value: a },
          { field: 'y', equal: false, value: b },
        ]);
      }),
    );
  });
});

it('names the fields that a kind does not let be selected', () => {
  expect(unsupportedFields(parseFieldSelector('phase=a,metadata.name=b,spec.x=c,toString=d'), things)).toEqual([
    'spec.x',
    'toString',
  ]);
});

it('knows the one value that is demanded', () => {
  const selector = parseFieldSelector('metadata.name=a,phase!=b');
  expect(requiredValue(selector, 'metadata.name')).toBe('a');
  expect(requiredValue(selector, 'phase')).toBeUndefined();
});
