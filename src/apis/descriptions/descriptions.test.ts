import { describe, expect, it } from 'vitest';
import { ListMeta } from '../../machinery/meta.ts';
import type { ObjectType, Type } from '../../machinery/schema/types.ts';
import { builtinKinds, subresourceKinds } from '../registry.ts';
import { describeBy, readDescriptions } from './descriptions.ts';

const kinds = [...builtinKinds, ...subresourceKinds];

function reachable(type: Type, found: Map<string, ObjectType>): Map<string, ObjectType> {
  if (type.kind === 'list' || type.kind === 'map') return reachable(type.of, found);
  if (type.kind !== 'object' || found.has(type.name)) return found;
  found.set(type.name, type);
  for (const field of Object.values(type.fields)) reachable(field.type, found);
  return found;
}

const types = new Map<string, ObjectType>();
for (const type of [...kinds.map((kind) => kind.schema), ListMeta]) reachable(type, types);
const descriptions = readDescriptions();
const describeOne = describeBy(descriptions);

describe('what types and fields are', () => {
  it('is said of those that there are', () => {
    const wrong = [...descriptions.keys()].filter((name) => {
      const cut = name.lastIndexOf('.');
      const type = types.get(name.slice(0, cut));
      return !types.has(name) && !(type !== undefined && name.slice(cut + 1) in type.fields);
    });
    expect(wrong).toEqual([]);
  });

  it('is said once', () => {
    const twice = [...descriptions.keys()].filter((name) => {
      const cut = name.lastIndexOf('.');
      return types.get(name.slice(0, cut))?.fields[name.slice(cut + 1)]?.doc !== undefined;
    });
    expect(twice).toEqual([]);
  });

  it.each(kinds.filter((kind) => kind.group !== 'metrics.k8s.io').map((kind) => [kind.kind, kind] as const))(
    '%s is described',
    (_name, kind) => {
      expect(describeOne(kind.schema)).toMatch(/^[A-Z].*\.$/);
      for (const field of ['spec', 'status']) {
        if (field in kind.schema.fields) expect(describeOne(kind.schema, field)).toBeDefined();
      }
    },
  );

  it.each(['PodSpec', 'Container', 'Probe', 'SecurityContext', 'ServiceSpec', 'VolumeMount'])(
    'every field of %s that is in use is described',
    (name) => {
      const type = types.get(`io.k8s.api.core.v1.${name}`) as ObjectType;
      const silent = Object.keys(type.fields).filter(
        (field) => describeOne(type, field) === undefined && type.fields[field]?.doc === undefined,
      );
      expect(silent).toEqual([]);
    },
  );
});
