/**
 * Field selectors: `metadata.name=web,status.phase!=Running`.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 */
import type { Kind, KubeObject } from './kind.ts';
import { SelectorSyntaxError } from './labelSelector.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

/** Parses a query's fieldSelector. @throws SelectorSyntaxError */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const m = /^([^=!\\]+)(!=|==|=)((?:[^\\,=]|\\[\\,=])*)$/s.exec(term);
    if (m === null) throw new SelectorSyntaxError(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: (m[1] as string).trim(),
      equal: m[2] !== '!=',
      value: (m[3] as string).replace(/\\([\\,=])/g, '$1'),
    });
  }
  return requirements;
}

function splitTerms(text: string): string[] {
  return text.split(/(?<!\\),/);
}

/** Fields that the selector names and the kind does not let be selected. */
export function unsupportedFields<T extends KubeObject>(selector: FieldSelector, kind: Kind<T>): string[] {
  return selector
    .map((r) => r.field)
    .filter(
      (field) =>
        field !== 'metadata.name' && field !== 'metadata.namespace' && kind.selectableFields?.[field] === undefined,
    );
}

export function matchesFields<T extends KubeObject>(selector: FieldSelector, kind: Kind<T>, object: T): boolean {
  for (const r of selector) {
    if ((fieldValue(r.field, kind, object) === r.value) !== r.equal) return false;
  }
  return true;
}

function fieldValue<T extends KubeObject>(field: string, kind: Kind<T>, object: T): string {
  if (field === 'metadata.name') return object.metadata?.name ?? '';
  if (field === 'metadata.namespace') return object.metadata?.namespace ?? '';
  return kind.selectableFields?.[field]?.(object) ?? '';
}

/** The value that a selector demands of a field, where it demands exactly one. */
export function requiredValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((r) => r.field === field && r.equal)?.value;
}
