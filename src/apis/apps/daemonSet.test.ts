import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { container, podSpec, workloadSpec } from '../testing/pods.ts';
import { controllerRevisions } from './controllerRevision.ts';
import { daemonSets } from './daemonSet.ts';

const metadata = { name: 'agent', namespace: 'default' };
const set = (more: object = {}, meta: object = {}) => ({
  metadata: { ...metadata, ...meta },
  spec: workloadSpec(more),
});
const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } });
const at = 'spec.updateStrategy.rollingUpdate';
const GENERATION = 'deprecated.daemonset.template.generation';

describe('a daemon set', () => {
  it('is defaulted', () => {
    const object = created(daemonSets, set());
    expect(object.spec).toMatchObject({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
    });
    expect(object.status).toEqual({
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
    });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['pods that change when they are deleted', { updateStrategy: { type: 'OnDelete' } }, []],
    ['one that comes first', rolling({ maxSurge: 1, maxUnavailable: 0 }), []],
    ['no selector', { selector: undefined }, ['spec.selector: Required']],
    ['no template', { template: undefined }, ['spec.template: Required']],
    ['an odd strategy', { updateStrategy: { type: 'x' } }, ['spec.updateStrategy.type: NotSupported']],
    ['an update that cannot begin', rolling({ maxUnavailable: 0 }), [`${at}.maxUnavailable: Required`]],
    ['both at once', rolling({ maxUnavailable: 1, maxSurge: '10%' }), [`${at}.maxSurge: Invalid`]],
    ['no number', rolling({ maxUnavailable: 'x' }), [`${at}.maxUnavailable: Invalid`]],
    ['more than all', rolling({ maxUnavailable: 0, maxSurge: '200%' }), [`${at}.maxSurge: Invalid`]],
    [
      'numbers below nothing',
      { minReadySeconds: -1, revisionHistoryLimit: -1 },
      ['spec.minReadySeconds: Invalid', 'spec.revisionHistoryLimit: Invalid'],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(daemonSets, set(more))).toEqual(expected);
  });

  it('keeps its selector', () => {
    const selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
    expect(updated(daemonSets, daemonSets.update, set(), set({ selector })).faults).toEqual(['spec.selector: Invalid']);
  });

  it('counts the versions of its template in an annotation', () => {
    const first = created(daemonSets, set());
    expect(first.metadata?.annotations).toEqual({ [GENERATION]: '1' });
    const same = updated(
      daemonSets,
      daemonSets.update,
      set(),
      set({ minReadySeconds: 3 }, { annotations: { a: 'b' } }),
    );
    expect(same.object.metadata?.annotations).toEqual({ a: 'b', [GENERATION]: '1' });
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: podSpec({ containers: [container({ image: 'nginx:2' })] }),
    };
    const changed = updated(daemonSets, daemonSets.update, set(), set({ template }));
    expect(changed.object.metadata?.annotations).toEqual({ [GENERATION]: '2' });
  });

  it('counts nodes, none below nothing, and collisions only upwards', () => {
    const status = { numberReady: -1, numberAvailable: -1 };
    expect(updated(daemonSets, daemonSets.status, set(), { ...set(), status }).faults).toEqual([
      'status.numberReady: Invalid',
      'status.numberAvailable: Invalid',
    ]);
    const old = { ...created(daemonSets, set()), status: { ...created(daemonSets, set()).status, collisionCount: 2 } };
    const now = structuredClone(old);
    now.status.collisionCount = 1;
    expect(daemonSets.status?.validate?.(now as never, old as never).map((e) => e.field)).toEqual([
      'status.collisionCount',
    ]);
  });

  it('shows how many nodes have it', () => {
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: podSpec({ nodeSelector: { disk: 'ssd', arch: 'arm64' } }),
    };
    const object = created(daemonSets, set({ template }));
    object.status = {
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberReady: 2,
      updatedNumberScheduled: 1,
      numberAvailable: 2,
      numberMisscheduled: 0,
    };
    expect(tableRow(daemonSets, object, 0, 'None')).toEqual({
      cells: ['agent', 3, 3, 2, 1, 2, 'arch=arm64,disk=ssd', '<unknown>', 'web', 'nginx:1.25', 'app=web'],
    });
  });
});

describe('a controller revision', () => {
  const revision = (more: object = {}) => ({ metadata, data: { spec: 1 }, revision: 3, ...more });

  it.each<[string, object, string[]]>([
    ['nothing wrong', revision(), []],
    ['no data', revision({ data: undefined }), ['data: Required']],
    ['a number below nothing', revision({ revision: -1 }), ['revision: Invalid']],
  ])('with %s', (_what, json, expected) => {
    expect(createFaults(controllerRevisions, json)).toEqual(expected);
  });

  it('moves among the others, and stays what it is', () => {
    const { update } = controllerRevisions;
    expect(updated(controllerRevisions, update, revision(), revision({ revision: 4 })).faults).toEqual([]);
    expect(updated(controllerRevisions, update, revision(), revision({ data: {} })).faults).toEqual(['data: Invalid']);
  });

  it('shows whose it is', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true };
    const owned = created(controllerRevisions, revision({ metadata: { ...metadata, ownerReferences: [owner] } }));
    expect(tableRow(controllerRevisions, owned, 0, 'None')).toEqual({
      cells: ['agent', 'statefulset.apps/web', 3, '<unknown>'],
    });
    expect(tableRow(controllerRevisions, created(controllerRevisions, revision()), 0, 'None')).toEqual({
      cells: ['agent', '<none>', 3, '<unknown>'],
    });
  });
});
