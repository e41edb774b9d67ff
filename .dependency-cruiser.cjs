/** The floors of ARCHITECTURE.md: a part imports from the floors below it, never from its own floor or above. */
const FLOORS = [
  ['lib'],
  ['machinery'],
  ['apis'],
  ['storage'],
  ['client'],
  [
    'apiserver',
    'controllers',
    'scheduler',
    'kubelet',
    'proxy',
    'dns',
    'ingress',
    'network',
    'images',
    'metrics',
    'federation',
    'dashboard',
  ],
  ['cluster'],
  ['cli'],
];

const rules = FLOORS.flatMap((parts, floor) =>
  parts.map((part) => ({
    name: `floor-${floor}-${part}`,
    comment: `${part}/ may import only from the floors below it`,
    severity: 'error',
    from: { path: `^src/${part}/`, pathNot: '\\.test\\.ts$' },
    to: {
      path: `^src/(${
        FLOORS.slice(floor)
          .flat()
          .filter((other) => other !== part)
          .join('|') || '(?!)'
      })/`,
    },
  })),
);

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$|/testing/|contract\\.ts$' },
      to: { path: '^test/|/testing/|^bench/' },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependencies-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$|/testing/|contract\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
