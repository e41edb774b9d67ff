/** The schemas of all kinds, compared field by field with the types of Kubernetes 1.36. */
import { describe, expect, it } from 'vitest';
import { builtinKinds, subresourceKinds } from '../../apis/registry.ts';
import { DeleteOptions } from '../../machinery/deleteOptions.ts';
import { ListMeta } from '../../machinery/meta.ts';
import type { Field, ListOptions, ObjectType, Type } from '../../machinery/schema/types.ts';
import { StatusType } from '../../machinery/statusTypes.ts';
import { type TypeFacts, typeFacts } from '../testing/facts/facts.ts';

/** Every object type that the given ones are made of, by name. */
function reachable(types: readonly ObjectType[]): Map<string, ObjectType> {
  const found = new Map<string, ObjectType>();
  const visit = (type: Type): void => {
    if (type.kind === 'list' || type.kind === 'map') visit(type.of);
    if (type.kind !== 'object' || found.has(type.name)) return;
    found.set(type.name, type);
    for (const field of Object.values(type.fields)) visit(field.type);
  };
  types.forEach(visit);
  return found;
}

function typeName(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'list':
      return `[${typeName(type.of)}]`;
    case 'map':
      return `{${typeName(type.of)}}`;
    case 'object':
      return type.name;
  }
}

/** As the facts say it. */
function said({ type, wire, required, patch }: Field): string {
  const options: ListOptions = type.kind === 'list' ? type : {};
  const strategy = options.patch ?? patch;
  return [
    `${wire ?? '-'}${required ? '!' : ''}`,
    typeName(type),
    ...(type.kind === 'list' ? [`${type.type}${type.keys === undefined ? '' : `(${type.keys.join(',')})`}`] : []),
    ...(type.kind === 'map' && type.atomic ? ['atomic'] : []),
    ...(strategy === undefined ? [] : [`${strategy}${options.mergeKey === undefined ? '' : `(${options.mergeKey})`}`]),
  ].join(' ');
}

const ours = reachable([
  ...[...builtinKinds, ...subresourceKinds].map((kind) => kind.schema),
  DeleteOptions,
  ListMeta,
  StatusType,
]);
const facts = typeFacts();

describe('the fields are those of Kubernetes', () => {
  it.each(Object.keys(facts))('%s', (name) => {
    const type = ours.get(name);
    const fields: TypeFacts = Object.fromEntries(Object.entries(type?.fields ?? {}).map(([n, f]) => [n, said(f)]));
    const all: TypeFacts = { ...fields, ...(type?.atomic === true ? { '': 'atomic' } : {}) };
    const names = new Set([...Object.keys(all), ...Object.keys(facts[name] ?? {})]);
    // Said one by one, for a message that shows what differs.
    const differing = [...names].filter((field) => all[field] !== facts[name]?.[field]);
    expect(differing.map((field) => `${field}: ${all[field]}, not ${facts[name]?.[field]}`)).toEqual([]);
  });

  it('there is no other type', () => {
    expect([...ours.keys()].filter((name) => facts[name] === undefined)).toEqual([]);
  });
});
