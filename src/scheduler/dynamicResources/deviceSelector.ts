/**
 * Which devices an expression selects. Imported when the first pod asks for devices.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#deviceclass
 */
import type { Device, DeviceAttribute } from '../../apis/resource/resourceSlice.ts';
import { type CelProgram, compile } from '../../machinery/cel/compile.ts';
import { BOOL, DYN, mapOf, objectType, STRING } from '../../machinery/cel/types.ts';
import type { Value } from '../../machinery/cel/value.ts';
import { setOwn } from '../../machinery/setOwn.ts';

/** Expressions that are kept compiled; the oldest make room. */
const KEPT = 256;

/** By domain, then by name. */
const BY_DOMAIN = mapOf(STRING, mapOf(STRING, DYN));
const DEVICE = objectType('kubernetes.Device', {
  driver: STRING,
  attributes: BY_DOMAIN,
  capacity: BY_DOMAIN,
  allowMultipleAllocations: BOOL,
});

export class DeviceSelectors {
  readonly #programs = new Map<string, CelProgram | undefined>();
  readonly #quantity = converter('quantity(text)');
  readonly #version = converter('semver(text)');

  /** An expression that is wrong, or fails for a device, does not select it. */
  matches(expression: string, driver: string, device: Device): boolean {
    const program = this.#program(expression);
    if (program === undefined) return false;
    try {
      return program.evaluate({ device: () => this.#valuesOf(driver, device) }) === true;
    } catch {
      return false;
    }
  }

  #program(expression: string): CelProgram | undefined {
    if (this.#programs.has(expression)) return this.#programs.get(expression);
    const compiled = compile(expression, { variables: { device: DEVICE } }, BOOL);
    const program = compiled.ok ? compiled.program : undefined;
    if (this.#programs.size >= KEPT) {
      const oldest = this.#programs.keys().next();
      if (!oldest.done) this.#programs.delete(oldest.value);
    }
    this.#programs.set(expression, program);
    return program;
  }

  #valuesOf(driver: string, { attributes = {}, capacity = {}, allowMultipleAllocations = false }: Device): unknown {
    return {
      driver,
      attributes: byDomain(driver, attributes, (attribute) => this.#attribute(attribute)),
      capacity: byDomain(driver, capacity, ({ value }) => this.#quantity(value)),
      allowMultipleAllocations,
    };
  }

  #attribute({ int, bool, string, version, ints, bools, strings, versions }: DeviceAttribute): unknown {
    if (version !== undefined) return this.#version(version);
    if (versions !== undefined) return versions.map((text) => this.#version(text));
    return int ?? bool ?? string ?? ints ?? bools ?? strings ?? null;
  }
}

function converter(expression: string): (text: string) => Value {
  const compiled = compile(expression, { variables: { text: STRING } });
  if (!compiled.ok) throw new Error(`${expression} does not compile`);
  return (text) => compiled.program.evaluate({ text });
}

/** A name without a domain is of the driver's. */
function byDomain<T>(driver: string, all: Readonly<Record<string, T>>, read: (item: T) => unknown) {
  const domains: Record<string, Record<string, unknown>> = {};
  for (const [key, item] of Object.entries(all)) {
    const slash = key.indexOf('/');
    const domain = slash < 0 ? driver : key.slice(0, slash);
    const names = domains[domain] ?? {};
    domains[domain] = names;
    // A name may be any identifier, `__proto__` too.
    setOwn(names, key.slice(slash + 1), read(item));
  }
  return domains;
}
