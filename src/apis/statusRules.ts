/** What a write to the status subresource leaves as it was. */
import type { ObjectMeta } from '../machinery/meta.ts';

/** The spec stays. */
export function keepSpec<T extends { spec?: unknown }>(object: T, old: T): void {
  if (old.spec === undefined) delete object.spec;
  else object.spec = old.spec;
}

/** Labels stay; annotations may change (controllers note things there together with status). */
export function keepLabels<T extends { metadata?: ObjectMeta }>(object: T, old: T): void {
  if (object.metadata === undefined) return;
  if (old.metadata?.labels === undefined) delete object.metadata.labels;
  else object.metadata.labels = old.metadata.labels;
}
