/** For tests: pods and templates to start from. */

/** A pod's spec with one container, and what is given besides. */
export function podSpec(more: object = {}): Record<string, unknown> {
  return { containers: [container()], ...more };
}

export function container(more: object = {}): Record<string, unknown> {
  return { name: 'web', image: 'nginx:1.25', ...more };
}

export function pod(spec: object = {}, more: object = {}): Record<string, unknown> {
  return { metadata: { name: 'web', namespace: 'default' }, spec: podSpec(spec), ...more };
}

/** A deployment's or replica set's spec. */
export function workloadSpec(more: object = {}): Record<string, unknown> {
  return {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: podSpec() },
    ...more,
  };
}
