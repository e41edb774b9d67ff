/** A kind that a definition makes, with a bit of everything that schemas can say, fuzzed as the built-in ones are. */
import type { CustomResourceDefinition } from '../../src/apis/apiextensions/customResourceDefinition.ts';
import { kindsOf } from '../../src/apiserver/customResources/kinds.ts';
import type { Kind } from '../../src/machinery/kind.ts';

const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
const text = { type: 'string' };

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
    replicas: { type: 'integer', format: 'int32' },
    selector: text,
    word: { type: 'string', pattern: '^[a-z]*$', maxLength: 10 },
    choice: { type: 'string', enum: ['a', 'b'] },
    any: { 'x-kubernetes-int-or-string': true },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: text },
    set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    parts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: text, port: { type: 'integer', default: 80 }, more: { type: 'array', items: text } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    nothing: { type: 'string', nullable: true },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    either: { type: 'object', properties: { x: text, y: text }, maxProperties: 1 },
  },
  'x-kubernetes-validations': [
    { rule: 'self.size < 9 || has(self.word)', message: 'a large one needs a word' },
    { rule: '!has(oldSelf.choice) || (has(self.choice) && self.choice == oldSelf.choice)', message: 'chosen once' },
  ],
};

export const gadgetDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.fuzz.example.com' },
  spec: {
    group: 'fuzz.example.com',
    scope: 'Namespaced',
    names,
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec,
              status: { type: 'object', properties: { replicas: { type: 'integer' }, phase: text } },
            },
          },
        },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        selectableFields: [{ jsonPath: '.spec.choice' }],
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      },
    ],
  },
};

export const gadgets: Kind = kindsOf(gadgetDefinition as unknown as CustomResourceDefinition, names).stored;

export const gadgetExample = {
  apiVersion: 'fuzz.example.com/v1',
  kind: 'Gadget',
  metadata: { name: 'x' },
  spec: { size: 2, word: 'abc', parts: [{ name: 'a' }], set: ['x'], labels: { a: 'b' }, open: { deep: { er: 1 } } },
};
