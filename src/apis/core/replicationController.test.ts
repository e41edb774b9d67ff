import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { podSpec } from '../testing/pods.ts';
import { podTemplates } from './podTemplate.ts';
import { replicationControllers } from './replicationController.ts';

const metadata = { name: 'web', namespace: 'default' };
const template = { metadata: { labels: { app: 'web', tier: 'a' } }, spec: podSpec() };
const controller = (more: object = {}) => ({ metadata, spec: { template, ...more } });

describe('a replication controller', () => {
  it('takes over the labels of its template', () => {
    const object = created(replicationControllers, controller());
    expect(object.metadata?.labels).toEqual({ app: 'web', tier: 'a' });
    expect(object.spec).toMatchObject({ replicas: 1, selector: { app: 'web', tier: 'a' } });
    expect(object.status).toEqual({ replicas: 0 });
    const own = { ...controller({ selector: { app: 'web' } }), metadata: { ...metadata, labels: { a: 'b' } } };
    const kept = created(replicationControllers, own);
    expect(kept.metadata?.labels).toEqual({ a: 'b' });
    expect(kept.spec?.selector).toEqual({ app: 'web' });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no template', { template: undefined }, ['spec.selector: Required', 'spec.template: Required']],
    ['no labels at all', { template: { spec: podSpec() } }, ['spec.selector: Required']],
    ['a selector for others', { selector: { app: 'b' } }, ['spec.template.metadata.labels: Invalid']],
    [
      'numbers below nothing',
      { replicas: -1, minReadySeconds: -1 },
      ['spec.minReadySeconds: Invalid', 'spec.replicas: Invalid'],
    ],
    [
      'pods that end',
      { template: { ...template, spec: podSpec({ restartPolicy: 'Never', activeDeadlineSeconds: 3 }) } },
      ['spec.template.spec.restartPolicy: NotSupported', 'spec.template.spec.activeDeadlineSeconds: Forbidden'],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(replicationControllers, controller(more))).toEqual(expected);
  });

  it('may change its selector', () => {
    const change = controller({ selector: { app: 'web' } });
    expect(updated(replicationControllers, replicationControllers.update, controller(), change).faults).toEqual([]);
  });

  it('counts no more ready pods than there are', () => {
    const write = { ...controller(), status: { replicas: 1, readyReplicas: 2 } };
    expect(updated(replicationControllers, replicationControllers.status, controller(), write).faults).toEqual([
      'status.readyReplicas: Invalid',
    ]);
  });

  it('is scaled and shown', () => {
    const object = created(replicationControllers, controller());
    replicationControllers.scale?.setSpecReplicas(object, 2);
    expect(replicationControllers.scale?.selector(object)).toBe('app=web,tier=a');
    expect(tableRow(replicationControllers, object, 0, 'None')).toEqual({
      cells: ['web', 2, 0, 0, '<unknown>', 'web', 'nginx:1.25', 'app=web,tier=a'],
    });
    expect(replicationControllers.selectableFields?.['status.replicas']?.(object)).toBe('0');
  });
});

describe('a pod template', () => {
  it('is defaulted, validated and shown', () => {
    const object = created(podTemplates, { metadata, template });
    expect(object.template?.spec).toMatchObject({ restartPolicy: 'Always' });
    expect(createFaults(podTemplates, { metadata, template })).toEqual([]);
    expect(createFaults(podTemplates, { metadata })).toEqual(['template.spec.containers: Required']);
    expect(tableRow(podTemplates, object, 0, 'None')).toEqual({
      cells: ['web', 'web', 'nginx:1.25', 'app=web,tier=a'],
    });
  });
});
