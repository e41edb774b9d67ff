/** An apply configuration on top of an object: lists with keys are merged by them, atomic ones replaced. */
import { jsonEqual } from '../../../machinery/jsonEqual.ts';
import { isObject } from '../../../machinery/patch/merge.ts';
import type { ListType, Type } from '../../../machinery/schema/types.ts';

/** The object with what the configuration says; neither argument is changed. */
export function applyConfiguration(type: Type, base: unknown, config: unknown): unknown {
  if (type.kind === 'object' && !type.atomic && isObject(base) && isObject(config)) {
    const out: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(config)) {
      const field = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
      set(out, key, field === undefined ? value : applyConfiguration(field.type, base[key], value));
    }
    return out;
  }
  if (type.kind === 'map' && !type.atomic && isObject(base) && isObject(config)) {
    const out: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(config)) set(out, key, applyConfiguration(type.of, base[key], value));
    return out;
  }
  if (type.kind === 'list' && Array.isArray(base) && Array.isArray(config)) return applyList(type, base, config);
  return config;
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function applyList(type: ListType, base: readonly unknown[], config: readonly unknown[]): readonly unknown[] {
  if (type.type === 'set') return [...base, ...config.filter((item) => !base.some((b) => jsonEqual(b, item)))];
  const keys = type.keys ?? [];
  if (type.type !== 'map' || keys.length === 0) return config;
  const out = [...base];
  for (const item of config) {
    const at = out.findIndex(
      (b) => isObject(b) && isObject(item) && keys.every((k) => sameKey(type, k, b[k], item[k])),
    );
    if (at < 0) out.push(item);
    else out[at] = applyConfiguration(type.of, out[at], item);
  }
  return out;
}

/** A key that is left out has its default. */
function sameKey(type: ListType, key: string, a: unknown, b: unknown): boolean {
  const field = type.of.kind === 'object' ? type.of.fields[key] : undefined;
  return jsonEqual(a ?? field?.default, b ?? field?.default);
}
