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

/** Parses a query's fieldSelector; `\\`, `\,` and `\=` stand for themselves in values. @throws SelectorSyntaxError */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const [term] of text.matchAll(TERM)) {
    if (term === '') continue;
    const m = REQUIREMENT.exec(term);
    if (m === null) throw new SelectorSyntaxError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator, value = ''] = m;
    requirements.push({ field: field.trim(), equal: operator !== '!=', value: value.replace(ESCAPED, '$1') });
  }
  return requirements;
}

/** Up to a comma that is not escaped. */
const TERM = /(?:[^\\,]|\\.?)*/gs;
const REQUIREMENT = /^([^=!\\]+)(!=|==|=)((?:[^\\,=]|\\[\\,=])*)$/s;
const ESCAPED = /\\([\\,=])/g;

/** Fields that the selector names and the kind does not let be selected. */
export function unsupportedFields<T extends KubeObject>(selector: FieldSelector, kind: Kind<T>): string[] {
  return selector
    .map((r) => r.field)
    .filter(
      (field) =>
        field !== 'metadata.name' &&
        field !== 'metadata.namespace' &&
        !Object.hasOwn(kind.selectableFields ?? {}, field),
    );
}

export function matchesFields<T extends KubeObject>(selector: FieldSelector, kind: Kind<T>, object: T): boolean {
  for (const r of selector) {
    if ((fieldValue(r.field, kind, object) === r.value) !== r.equal) return false;
  }
  return true;
}

/** What an object has for a field that may be selected; '' where it has nothing. */
export function fieldValue<T extends KubeObject>(field: string, kind: Kind<T>, object: T): string {
  if (field === 'metadata.name') return object.metadata?.name ?? '';
  if (field === 'metadata.namespace') return object.metadata?.namespace ?? '';
  const { selectableFields = {} } = kind;
  return Object.hasOwn(selectableFields, field) ? (selectableFields[field]?.(object) ?? '') : '';
}

/** The value that a selector demands of a field, where it demands exactly one. */
export function requiredValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((r) => r.field === field && r.equal)?.value;
}
