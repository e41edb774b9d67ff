import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CelEnvironment, compile } from './compile.ts';
import { BOOL, DOUBLE, DURATION, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP } from './types.ts';
import { toJson } from './value.ts';

const self = objectType('object', {
  replicas: INT,
  ratio: DOUBLE,
  name: STRING,
  'x-y': STRING,
  namespace: STRING,
  tags: listOf(STRING),
  numbers: listOf(INT),
  labels: mapOf(STRING, STRING),
  at: TIMESTAMP,
  wait: DURATION,
  any: DYN,
  inner: objectType('inner', { on: BOOL, port: INT }),
});
const environment: CelEnvironment = { variables: { self, object: DYN } };
const value = {
  replicas: 3,
  ratio: 2,
  name: 'über-name',
  'x-y': 'dash',
  namespace: 'ns',
  tags: ['a', 'b', 'c'],
  numbers: [3, 1, 2],
  labels: { 'a/b': 'c', d: 'e' },
  at: '2024-02-29T12:30:45.5Z',
  wait: '1h30m',
  any: { n: 1, f: 1.5, s: 'x', l: [1, 'two'] },
  inner: { on: true },
};

function run(expression: string): unknown {
  const compiled = compile(expression, environment);
  if (!compiled.ok) return `COMPILE ${compiled.issues[0]?.message.split('\n')[0]?.replace(/.*<input>:/, '')}`;
  try {
    return toJson(compiled.program.evaluate({ self: value, object: value }));
  } catch (error) {
    return `ERROR ${(error as Error).message}`;
  }
}

describe('expressions', () => {
  it.each([
    ['1 + 2 * 3 - 4 / 2 % 3', 5],
    ['-9223372036854775808 - 1', 'ERROR integer overflow'],
    ['7 / 0', 'ERROR division by zero'],
    ['7 / 0 == 1 || true', true],
    ['false && 7 / 0 == 1', false],
    ['self.replicas > 2 ? "many" : "few"', 'many'],
    ['self.ratio * 1.5', 3],
    ['self.replicas == 3 && object.replicas == 3.0', true],
    ['1 == 1.0', "COMPILE 1:3: found no matching overload for '_==_' applied to '(int, double)'"],
    ['1 < 1.5', true],
    ['dyn(1) == 1.0', true],
    ['self.missing', "COMPILE 1:5: undefined field 'missing'"],
    ['nobody', "COMPILE 1:1: undeclared reference to 'nobody' (in container '')"],
    ['self.x__dash__y + self.__namespace__', 'dashns'],
    ['object.missing', 'ERROR no such key: missing'],
    ['has(object.missing) || has(self.inner.on) && !has(self.inner.port)', true],
    ['self.tags.all(t, t < "d") && self.tags.exists(t, t == "b") && self.tags.exists_one(t, t == "c")', true],
    ['self.tags.map(t, t + t)', ['aa', 'bb', 'cc']],
    ['self.tags.filter(t, t != "a")', ['b', 'c']],
    ['self.numbers.map(n, n > 1, n * 2)', [6, 4]],
    ['self.tags.map(t, self.tags.map(u, t + u))[2][1]', 'cb'],
    ['self.labels.all(k, self.labels[k].size() == 1)', true],
    ['self.labels.transformMap(k, v, k + v)["d"]', 'de'],
    ['self.tags.transformList(i, t, i % 2 == 0, t)', ['a', 'c']],
    ['cel.bind(x, self.replicas, x * x)', 9],
    ['"a/b" in self.labels && !("z" in self.labels) && "b" in self.tags && 2 in [1, 2]', true],
    ['object.any.l[1] == "two" && type(object.any.n) == int && type(object.any.f) == double', true],
    ['self.any.?zip.orValue("none")', 'none'],
    ['object.?a.?b.hasValue()', false],
    ['self.labels[?"d"].optMap(v, v + v).orValue("")', 'ee'],
    ['[?optional.none(), ?optional.of(1), 2]', [1, 2]],
    ['{?"a": optional.none(), "b": 1}', { b: 1 }],
    ['optional.of(1).or(optional.of(2)).value()', 1],
    ['self.at.getFullYear() == 2024 && self.at.getDayOfYear() == 59 && self.at.getHours("+02:00") == 14', true],
    ['self.at.getHours("America/New_York")', 7],
    ['self.wait == duration("90m") && self.at + self.wait > self.at', true],
    ['string(self.at) + string(self.wait)', '2024-02-29T12:30:45.5Z5400s'],
    ['int("12") + int(3.9) == 15 && double("1e3") == 1000.0 && bool("true")', true],
    ['size("über") == 4 && "über".charAt(0) == "ü" && "tacocat".indexOf("c", 3) == 4', true],
    ['"a-b-c".split("-", 2)', ['a', 'b-c']],
    ['"hello".replace("l", "L", 1).upperAscii()', 'HELLO'],
    ['"hello".substring(1, 3) + " x ".trim() + ["a", "b"].join("+")', 'elxa+b'],
    ['"%s is %d, %.2f, %x and %s".format(["a", 5, 1.5, 255, [1, 2]])', 'a is 5, 1.50, ff and [1, 2]'],
    ['self.numbers.sum() == 6 && self.numbers.min() == 1 && self.numbers.max() == 3 && !self.numbers.isSorted()', true],
    ['[].sum() == 0', true],
    ['self.tags.indexOf("b") * 10 + [1, 2, 1].lastIndexOf(1)', 12],
    ['sets.contains(self.tags, ["c"]) && sets.intersects([1], [1, 2]) && !sets.equivalent([1], [2])', true],
    ['math.greatest(1, 5, 3) + math.least([4, 2])', 7],
    ['self.name.matches("^[a-zü]+-name$") && "abc 123".find("[0-9]+") == "123"', true],
    ['"1 a 2 b".findAll("[0-9]", 1)', ['1']],
    ['"x".matches("(")', expect.stringMatching(/^ERROR error parsing regexp/)],
    ['url("https://u@h.io:8080/p%20q?k=v&k=w").getHost()', 'h.io:8080'],
    ['url("https://h.io:8080/p%20q?k=v&k=w").getQuery()["k"]', ['v', 'w']],
    ['url("https://[::1]:80/").getHostname() + url("/path").getEscapedPath()', '::1/path'],
    ['isURL("nope") || isURL("https://a b")', false],
    ['quantity("1Gi").isGreaterThan(quantity("1G")) && quantity("50k").asInteger() == 50000', true],
    ['quantity("1500m").add(quantity("500m")) == quantity("2") && !isQuantity("1x")', true],
    ['ip("::1").isLoopback() && ip("10.0.0.1").family() == 4 && !isIP("1.2.3") && ip.isCanonical("::1")', true],
    ['cidr("10.0.0.0/8").containsIP("10.2.3.4") && cidr("10.0.0.0/8").containsCIDR(cidr("10.1.0.0/16"))', true],
    ['string(cidr("10.1.2.3/8").masked())', '10.0.0.0/8'],
    ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3")) && isSemver("v1.2", true)', true],
    ['format.dns1123Label().validate("no_good").hasValue() && !format.named("uuid").hasValue() == false', true],
    ['b"\\xff".size() + r"\\n".size()', 3],
    ['"\\u00fc" == "ü" && \'\'\'a"b\'\'\' == "a\\"b"', true],
    ['[1, "a"]', expect.stringMatching(/^COMPILE/)],
    ['1 +', expect.stringMatching(/^COMPILE 1:4: Syntax error/)],
    ['self.tags.map(1, 2)', expect.stringMatching(/^COMPILE/)],
    ['self.replicas.all(x, true)', expect.stringMatching(/cannot be range of a comprehension/)],
    ['self.name + 1', "COMPILE 1:11: found no matching overload for '_+_' applied to '(string, int)'"],
    ['self.name.nope()', "COMPILE 1:10: undeclared reference to 'nope' (in container '')"],
    ['!!true && - -1 == 1', true],
    ['{"a": 1}.a == 1 && {1: "x"}[1] == "x"', true],
    ['[[1], []][1].size()', 0],
    ['self.inner == object.inner', true],
    ['null == self.any', false],
  ])('%s', (expression, expected) => {
    expect(run(expression)).toEqual(expected);
  });

  it('ends what would take too long', () => {
    const all = Array.from({ length: 1000 }, (_, i) => i);
    const compiled = compile('object.all(a, object.all(b, object.all(c, a + b + c >= 0)))', environment);
    expect(compiled.ok).toBe(true);
    if (compiled.ok) expect(() => compiled.program.evaluate({ object: all })).toThrow(/cost exceeds limit/);
    expect(run(`${'('.repeat(400)}1${')'.repeat(400)}`)).toMatch(/^COMPILE/);
    expect(run(Array.from({ length: 900 }, () => 'true').join(' && '))).toBe(true);
  });

  it('matches hostile patterns in linear time', () => {
    const compiled = compile('object.matches("^(a+)+$")', environment);
    if (!compiled.ok) throw new Error('it compiles');
    expect(toJson(compiled.program.evaluate({ object: `${'a'.repeat(5000)}b` }))).toBe(false);
  });

  it('checks what an expression gives', () => {
    expect(compile('1', environment, BOOL)).toMatchObject({
      ok: false,
      issues: [{ message: 'must evaluate to bool' }],
    });
    expect(compile('object.x', environment, BOOL).ok).toBe(true);
  });

  it('never throws but CelError, whatever it is given', () => {
    const word = fc.constantFrom(
      'self',
      '.',
      'tags',
      'object',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '1',
      '"s"',
      '+',
      '-',
      '==',
      '&&',
      '!',
      '?',
      ':',
      ',',
      'x',
      'all',
      'map',
      'size',
      'null',
      'true',
      'in',
      '1.5',
      '`a`',
      'has',
      'u',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => {
        expect(typeof run(words.join(' '))).not.toBe('symbol');
      }),
      { numRuns: 2000 },
    );
  });
});

it.each([
  ['self.name.trim().size()', `x${' '.repeat(500_000)}x`, 500_002],
  ['double(self.name)', `${'1'.repeat(500_000)}x`, "ERROR type conversion error from 'string' to 'double'"],
])('%s of a long text takes no longer than reading it', (expression, name, expected) => {
  const compiled = compile(expression, environment);
  if (!compiled.ok) throw new Error('it compiles');
  const evaluate = () => toJson(compiled.program.evaluate({ self: { ...value, name }, object: value }));
  if (typeof expected === 'string') expect(evaluate).toThrow(expected.slice('ERROR '.length));
  else expect(evaluate()).toBe(expected);
});
