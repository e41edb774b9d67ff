/**
 * JSON whose whole numbers of 64 bits stay what they are: those that a number cannot hold are bigints. Nearly no
 * object has any, so that nearly always this is JSON.parse and JSON.stringify.
 */

/** What the engine gives besides: text that is written as it is, and the text that a value was read from. */
interface Engine {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}
const engine = JSON as unknown as Engine;

const LIMIT = 2n ** 63n;
const WHOLE = /^-?\d{16,19}$/;
/** Fewer digits in a row are always exact. */
const MANY_DIGITS = /\d{16}/;

/** A whole number in the form in which it loses nothing; the nearest number where it has more than 64 bits. */
export function exactInteger(digits: string): number | bigint {
  const number = Number(digits);
  if (Number.isSafeInteger(number) || !WHOLE.test(digits) || String(number) === digits) return number;
  const exact = BigInt(digits);
  return exact >= -LIMIT && exact < LIMIT ? exact : number;
}

/** @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  return engine.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exactInteger(source) : value,
  );
}

/** As JSON.stringify, which refuses bigints. */
export function stringifyExactJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(
      value,
      (_key, item) => (typeof item === 'bigint' ? engine.rawJSON(String(item)) : item),
      indent,
    );
  }
}
