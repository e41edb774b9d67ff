import { describe, expect, test } from 'vitest';
import type { JSONSchemaProps } from './customResourceDefinition.ts';
import { validateSchema } from './schemaRules.ts';
import { ruleChecker } from './validationRules.ts';

const text: JSONSchemaProps = { type: 'string' };
const list = (items: JSONSchemaProps, more: JSONSchemaProps = {}): JSONSchemaProps => ({
  type: 'array',
  items,
  ...more,
});
const rules = (...all: string[]) => ({ 'x-kubernetes-validations': all.map((rule) => ({ rule })) });
const within = (spec: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { spec } });
const faultsOf = (spec: JSONSchemaProps) =>
  validateSchema(within(spec), 's').map(({ type, field, detail }) => [type, field, detail?.replace(/ \(.*/, '')]);

const SPEC = 's.properties[spec]';
const BUDGET = 'estimated rule cost exceeds budget by factor of';

describe('the cost of rules is told from the schema', () => {
  test.each<[string, JSONSchemaProps, string, string | undefined]>([
    [
      'for each element of each of many lists',
      list(list(text, rules("self.all(s, s == 'string constant')"))),
      `${SPEC}.items.x-kubernetes-validations[0].rule`,
      'more than 100x',
    ],
    [
      'each with each other, of any number',
      list({ type: 'integer' }, rules('self.all(x, self.all(y, x == y))')),
      `${SPEC}.x-kubernetes-validations[0].rule`,
      'more than 100x',
    ],
    [
      'each with each other, of too many',
      list({ type: 'integer' }, { maxItems: 2000, ...rules('self.all(x, self.all(y, x == y))') }),
      `${SPEC}.x-kubernetes-validations[0].rule`,
      '2.0x',
    ],
    [
      'each with each other, of a few',
      list({ type: 'integer' }, { maxItems: 725, ...rules('self.all(x, self.all(y, x == y))') }),
      '',
      undefined,
    ],
    ['one after the other', list(text, rules("self.all(s, s != '')")), '', undefined],
    ['texts of any length', { ...text, ...rules("self.contains('x') && self.matches('^[a-z]+$')") }, '', undefined],
    [
      'entries of maps in lists',
      list({
        type: 'object',
        additionalProperties: text,
        ...rules("self.all(k, self[k].startsWith('abcdefghijklm'))"),
      }),
      `${SPEC}.items.x-kubernetes-validations[0].rule`,
      'more than 100x',
    ],
    [
      'of lists that are bounded at each level',
      list(list(text, { maxItems: 10, ...rules("self.all(s, s == 'x')") }), { maxItems: 100 }),
      '',
      undefined,
    ],
    [
      'with the empty text, which costs nothing',
      list(text, { maxItems: 3_300_000, ...rules("self.all(s, s != '')") }),
      '',
      undefined,
    ],
    [
      'what is made of others is not known',
      list(text, rules("self.filter(s, s != '').all(s, s != '')")),
      '',
      undefined,
    ],
    [
      'whether one of two is there, in each of any number',
      list({
        type: 'object',
        properties: { a: text, b: text },
        ...rules('(has(self.a) && !has(self.b)) || (!has(self.a) && has(self.b))'),
      }),
      '',
      undefined,
    ],
    [
      'with a name for it',
      list(text, rules('cel.bind(all, self, all.all(a, all.exists(b, a != b)))')),
      `${SPEC}.x-kubernetes-validations[0].rule`,
      'more than 100x',
    ],
  ])('%s', (_what, spec, field, factor) => {
    const [fault] = faultsOf(spec);
    expect(fault).toEqual(factor === undefined ? undefined : ['FieldValueForbidden', field, `${BUDGET} ${factor}`]);
  });

  test('and of all rules together', () => {
    const costly = { ...rules(...Array(15).fill('self.all(x, self.all(y, x == y))')), maxItems: 1300 };
    const faults = faultsOf(list({ type: 'integer' }, costly));
    expect(faults.at(-1)).toEqual([
      'FieldValueForbidden',
      's',
      'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.268085x',
    ]);
    expect(faults[0]?.[2]).toMatch(/^contributed to estimated rule cost total/);
  });
});

test('a rule that goes on for too long ends, and is named; others are asked', () => {
  const many = list({ type: 'integer' }, { maxItems: 725 });
  const spec = {
    type: 'object',
    properties: { many },
    ...rules('self.many.all(x, self.many.all(y, x == y))', 'false'),
  };
  const errors = ruleChecker(within(spec))?.({ spec: { many: Array(725).fill(20) } });
  expect(errors?.map((e) => e.detail)).toEqual([
    'call cost exceeds limit for rule: self.many.all(x, self.many.all(y, x == y))',
    'failed rule: false',
  ]);
});

describe('oldSelf', () => {
  const held = { ...text, maxLength: 9, ...rules('self == oldSelf') };
  const many = (items: JSONSchemaProps, more: JSONSchemaProps = {}) => list(items, { maxItems: 9, ...more });
  const keyed = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] };
  const entry = (v: JSONSchemaProps): JSONSchemaProps => ({
    type: 'object',
    required: ['k'],
    properties: { k: text, v },
  });
  const atomic = { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: held } };
  test.each<[string, JSONSchemaProps, string | undefined]>([
    ['an item of a list', many(held), SPEC],
    ['an item of a set', many(held, { 'x-kubernetes-list-type': 'set' }), SPEC],
    ['a field of what is found by its keys', many(entry(held), keyed), undefined],
    ['an item of a list of that', many(entry(many(held)), keyed), `${SPEC}.items.properties[v]`],
    ['a value by its name', { type: 'object', maxProperties: 9, additionalProperties: held }, undefined],
    ['a field of what is one', atomic, SPEC],
  ])('of %s', (_what, spec, within) => {
    const why = 'oldSelf cannot be used on the uncorrelatable portion of the schema within';
    expect(faultsOf(spec).map((fault) => fault[2])).toEqual(within === undefined ? [] : [`${why} ${within}`]);
  });
});
