/** The columns of measurements. */
import type { Column, KubeObject } from '../../machinery/kind.ts';
import type { Quantity } from '../../machinery/schema/types.ts';

export function usageColumn<T extends KubeObject>(name: string, value: (object: T) => Quantity | undefined): Column<T> {
  const description = `How much ${name} is used.`;
  return { name, type: 'string', format: 'quantity', description, value: (object) => value(object) ?? '' };
}

export function windowColumn<T extends KubeObject & { window?: string }>(): Column<T> {
  const description = 'How long was measured.';
  return { name: 'Window', type: 'string', format: 'duration', description, value: ({ window }) => window ?? '' };
}
