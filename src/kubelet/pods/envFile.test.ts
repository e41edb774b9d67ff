import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EnvFileError, envFileValue } from './envFile.ts';

describe('a file of variables', () => {
  const text = `# of the first
  \tFIRST='one'

EMPTY=''
   # indented
SPACED='  two  words ' # behind it
LINES='{
  "a": "b=c" # not a comment

}'
LITERAL='$HOME \\n "x" $\{Y}'
LAST='end'`;

  it.each([
    ['FIRST', 'one'],
    ['EMPTY', ''],
    ['SPACED', '  two  words '],
    ['LINES', '{\n  "a": "b=c" # not a comment\n\n}'],
    ['LITERAL', `$HOME \\n "x" $\{Y}`],
    ['LAST', 'end'],
    ['NONE', undefined],
    ['IRST', undefined],
  ])('has %s', (key, value) => {
    expect(envFileValue(text, key)).toBe(value);
  });

  it('is read as a shell reads it', () => {
    for (const key of ['FIRST', 'EMPTY', 'SPACED', 'LINES', 'LITERAL', 'LAST']) {
      const script = `eval "$0"; printf %s "$${key}"`;
      expect(execFileSync('sh', ['-c', script, text], { encoding: 'utf8' })).toBe(envFileValue(text, key));
    }
  });

  it('may end its lines as it likes', () => {
    expect(envFileValue("A='1'\r\n\r\nB='2'\r\n", 'B')).toBe('2');
    expect(envFileValue('', 'A')).toBeUndefined();
    expect(envFileValue('\n\n', 'A')).toBeUndefined();
  });

  it.each([
    ["A='1'\nB", "at line 2: there is no '='"],
    ["A\nB='1'", "at line 1: there is no '='"],
    ["='1'", 'at line 1: there is no name'],
    ["A ='1'", "at line 1: whitespace before '=' is not allowed"],
    ["export A='1'", "at line 1: whitespace before '=' is not allowed"],
    ["A= '1'", 'at line 1: value must be enclosed in single quotes'],
    ['\n#\nA=1', 'at line 3: value must be enclosed in single quotes'],
    ['A="1"', 'at line 1: value must be enclosed in single quotes'],
    ["A='1", 'at line 1: unclosed single quote'],
    ["A='1''2'", 'at line 1: unexpected content after closing quote'],
    ["A='1'#", 'at line 1: unexpected content after closing quote'],
    ["A='1\n2'\nB='3'x", 'at line 3: unexpected content after closing quote'],
  ])('is refused: %j', (wrong, message) => {
    expect(() => envFileValue(wrong, 'KEY')).toThrow(
      new EnvFileError(`invalid environment variable format ${message}`),
    );
  });

  it('gives back what was written, and never breaks on what was not', () => {
    const value = fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll(/['\0]/g, ''));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const file = values.map((v, i) => `K${i}='${v}'\n`).join('');
        for (const [i, v] of values.entries()) expect(envFileValue(file, `K${i}`)).toBe(v);
      }),
    );
    fc.assert(
      fc.property(fc.string(), fc.string(), (any, key) => {
        try {
          envFileValue(any, key);
        } catch (error) {
          expect(error).toBeInstanceOf(EnvFileError);
        }
      }),
    );
  });
});
