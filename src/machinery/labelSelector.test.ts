import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatSelector,
  matchesLabels,
  parseLabelSelector,
  type Requirement,
  SelectorSyntaxError,
  selectorFrom,
  selectorFromMap,
  validateLabelSelector,
} from './labelSelector.ts';

const labels = { app: 'web', tier: 'front', replicas: '3', empty: '' };

describe('a query', () => {
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web , tier != back ', true],
    ['app!=web', false],
    ['app', true],
    ['!app', false],
    ['! old', true],
    ['old', false],
    ['app in (web, db)', true],
    ['app in (web,),tier', true],
    ['app in ()', false],
    ['empty in ()', true],
    ['app notin (web)', false],
    ['old notin (a,b)', true],
    ['old!=a', true],
    ['empty=', true],
    ['app=', false],
    ['replicas>2', true],
    ['replicas>3', false],
    ['replicas<4,replicas>-1', true],
    ['app>1', false],
    ['old<1', false],
    ['in in (a)', false],
    ['constructor', false],
    ['!constructor', true],
  ])('%j gives %j', (query, expected) => expect(matchesLabels(parseLabelSelector(query), labels)).toBe(expected));

  it.each([
    ',',
    'a,',
    ',a',
    'a,,b',
    'a in',
    'a in b',
    'a in (b',
    'a in (b c)',
    'a in (b))',
    '!a=b',
    '!',
    '!!a',
    '=a',
    'a=b=c',
    'a b',
    'a>x',
    'a=b c',
    'é=1',
    'a=é',
    '-a=1',
    'a/b/c',
    'a=-b',
    '(',
    'a<>1',
  ])('%j is refused', (query) => expect(() => parseLabelSelector(query)).toThrow(SelectorSyntaxError));

  it('throws nothing but a SelectorSyntaxError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ab!=<>(), intoi]{0,20}$/)), (query) => {
        try {
          parseLabelSelector(query);
        } catch (error) {
          expect(error).toBeInstanceOf(SelectorSyntaxError);
        }
      }),
    );
  });
});

const keys = fc.constantFrom('app', 'tier', 'example.com/x');
const values = fc.constantFrom('a', 'b', 'c.d', '7');
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: keys,
    operator: fc.constantFrom('In' as const, 'NotIn' as const),
    values: fc.uniqueArray(values, { minLength: 1 }),
  }),
  fc.record({
    key: keys,
    operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
    values: fc.constant([]),
  }),
  fc.record({ key: keys, operator: fc.constantFrom('Gt' as const, 'Lt' as const), values: fc.constant(['5']) }),
);

it('selects the same after formatting and parsing', () => {
  fc.assert(
    fc.property(fc.array(requirement), fc.dictionary(keys, values), (selector, given) => {
      expect(matchesLabels(parseLabelSelector(formatSelector(selector)), given)).toBe(matchesLabels(selector, given));
    }),
  );
});

describe('a LabelSelector', () => {
  it('that is absent selects nothing, an empty one everything', () => {
    expect(selectorFrom(undefined)).toBeUndefined();
    expect(matchesLabels(selectorFrom({}) ?? [], labels)).toBe(true);
  });

  it('asks for all that it names', () => {
    const selector = selectorFrom({
      matchLabels: { tier: 'front' },
      matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }],
    });
    expect(formatSelector(selector ?? [])).toBe('app in (db,web),tier=front');
    expect(matchesLabels(selector ?? [], labels)).toBe(true);
    expect(matchesLabels(selector ?? [], { app: 'web' })).toBe(false);
    expect(matchesLabels(selectorFromMap(undefined), labels)).toBe(true);
  });

  it('is validated as part of an object', () => {
    const errors = validateLabelSelector(
      {
        matchLabels: { '': 'a', b: '-' },
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'a', operator: 'Exists', values: ['x'] },
          { key: 'a', operator: 'Is', values: ['_'] },
        ],
      },
      'spec.selector',
    );
    expect(errors.map((e) => `${e.field} ${e.type}`)).toEqual([
      'spec.selector.matchLabels FieldValueInvalid',
      'spec.selector.matchLabels FieldValueInvalid',
      'spec.selector.matchLabels FieldValueInvalid',
      'spec.selector.matchExpressions[0].values FieldValueRequired',
      'spec.selector.matchExpressions[1].values FieldValueForbidden',
      'spec.selector.matchExpressions[2].operator FieldValueNotSupported',
      'spec.selector.matchExpressions[2].values[0] FieldValueInvalid',
    ]);
    expect(validateLabelSelector({ matchLabels: { app: 'web' } }, 'spec.selector')).toEqual([]);
  });
});
