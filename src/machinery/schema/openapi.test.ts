import { describe, expect, it } from 'vitest';
import { defineKind } from '../kind.ts';
import { ObjectMeta } from '../meta.ts';
import { OpenApiDefinitions } from './openapi.ts';
import {
  bytes,
  int32,
  intOrString,
  type JsonObject,
  list,
  map,
  type ObjectType,
  object,
  opt,
  quantity,
  req,
  str,
  time,
} from './types.ts';

const Part: ObjectType = object(
  'example.v1.Part',
  () => ({ name: req(1, str, { doc: 'What it is called.' }), parts: opt(2, list(Part)) }),
  { atomic: true, description: 'A part.' },
);
const Thing = object('example.v1.Thing', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  size: opt(2, int32, { default: 1 }),
  mode: opt(3, str, { enum: ['On', 'Off'] }),
  part: opt(4, Part, { doc: 'The main part.', patch: 'retainKeys' }),
  parts: opt(5, list(Part, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  limits: opt(6, map(quantity)),
  data: opt(7, bytes),
  at: opt(8, time),
  most: opt(9, intOrString),
}));
const things = defineKind({ group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things', schema: Thing });

function thingIn(version: 'v2' | 'v3'): { all: JsonObject; properties: JsonObject } {
  const definitions = new OpenApiDefinitions(version);
  definitions.addKind(things);
  const all = definitions.all();
  return { all, properties: (all['example.v1.Thing'] as JsonObject).properties as JsonObject };
}

describe('a document of version 3', () => {
  const { all, properties } = thingIn('v3');

  it('describes each field', () => {
    expect(properties).toMatchObject({
      size: { type: 'integer', format: 'int32', default: 1 },
      mode: { type: 'string', enum: ['On', 'Off'] },
      part: {
        allOf: [{ $ref: '#/components/schemas/example.v1.Part' }],
        description: 'The main part.',
        'x-kubernetes-patch-strategy': 'retainKeys',
      },
      parts: {
        type: 'array',
        items: { $ref: '#/components/schemas/example.v1.Part' },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        'x-kubernetes-patch-merge-key': 'name',
        'x-kubernetes-patch-strategy': 'merge',
      },
      limits: {
        type: 'object',
        additionalProperties: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' },
      },
      data: { type: 'string', format: 'byte' },
      at: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Time' },
    });
  });

  it('defines all that is referred to, once', () => {
    const text = JSON.stringify(all);
    const referred = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1] as string));
    expect([...referred].filter((name) => all[name] === undefined)).toEqual([]);
    expect(Object.keys(all)).toEqual(Object.keys(all).toSorted());
    expect(all['example.v1.Part']).toMatchObject({
      description: 'A part.',
      required: ['name'],
      'x-kubernetes-map-type': 'atomic',
      properties: { parts: { items: { $ref: '#/components/schemas/example.v1.Part' } } },
    });
  });

  it('names the kind and its list', () => {
    const of = (kind: string) => [{ group: 'example.com', kind, version: 'v1' }];
    expect(all['example.v1.Thing']).toMatchObject({ 'x-kubernetes-group-version-kind': of('Thing') });
    expect(all['example.v1.ThingList']).toMatchObject({
      'x-kubernetes-group-version-kind': of('ThingList'),
      required: ['items'],
      properties: { items: { items: { $ref: '#/components/schemas/example.v1.Thing' } } },
    });
  });
});

it('says unions in version 2 as that version can', () => {
  const { all, properties } = thingIn('v2');
  expect(properties.most).toEqual({ $ref: '#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString' });
  expect(all['io.k8s.apimachinery.pkg.util.intstr.IntOrString']).toEqual({ type: 'string', format: 'int-or-string' });
  expect(properties.part).toMatchObject({ $ref: '#/definitions/example.v1.Part', description: 'The main part.' });
});
