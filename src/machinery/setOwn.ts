/** An assignment that cannot reach the prototype, whatever the key: `__proto__` is a field like any other in JSON. */
export function setOwn<T>(out: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
  else out[key] = value;
}
