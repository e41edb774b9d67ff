import { describe, expect, it } from 'vitest';
import { createFaults, updated } from '../../testing/create.ts';
import { pod } from '../../testing/pods.ts';
import { pods } from '../pod.ts';

const COST = 'controller.kubernetes.io/pod-deletion-cost';
const MIRROR = 'kubernetes.io/config.mirror';
const ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const annotated = (annotations: object, spec: object = {}) =>
  pod(spec, { metadata: { name: 'web', namespace: 'default', annotations } });

describe('annotations that mean something', () => {
  it.each<[object, object, string[]]>([
    [{ [COST]: '-100' }, {}, []],
    [{ [COST]: '0' }, {}, []],
    [{ [COST]: 'much' }, {}, [`${COST}]: Invalid`]],
    [{ [COST]: '+1' }, {}, [`${COST}]: Invalid`]],
    [{ [COST]: '01' }, {}, [`${COST}]: Invalid`]],
    [{ [COST]: '2147483648' }, {}, [`${COST}]: Invalid`]],
    [{ [MIRROR]: 'hash' }, {}, [`${MIRROR}]: Invalid`]],
    [{ [MIRROR]: 'hash' }, { nodeName: 'node' }, []],
    [{ [`${ARMOR}web`]: 'runtime/default' }, {}, []],
    [{ [`${ARMOR}web`]: 'default' }, {}, [`${ARMOR}web]: Invalid`]],
    [{ [`${ARMOR}none`]: 'localhost/x' }, {}, [`${ARMOR}none]: Invalid`]],
  ])('%j', (annotations, spec, expected) => {
    const at = (fault: string) => `metadata.annotations[${fault}`;
    expect(createFaults(pods, annotated(annotations, spec))).toEqual(expected.map(at));
  });

  it.each<[string, object, object, string[]]>([
    ['may change where nobody looks at them', { a: '1' }, { a: '2' }, []],
    ['may be wrong as they were', { [COST]: 'much' }, { [COST]: 'much', a: '1' }, []],
    ['may not become wrong', { [COST]: '1' }, { [COST]: 'much' }, [`metadata.annotations[${COST}]: Invalid`]],
    ['do not make a mirror of a pod', {}, { [MIRROR]: 'x' }, [`metadata.annotations[${MIRROR}]: Forbidden`]],
    ['do not end to make it one', { [MIRROR]: 'x' }, {}, [`metadata.annotations[${MIRROR}]: Forbidden`]],
    [
      'do not confine anew',
      { [`${ARMOR}web`]: 'unconfined' },
      { [`${ARMOR}web`]: 'runtime/default' },
      [`metadata.annotations[${ARMOR}web]: Forbidden`],
    ],
  ])('%s', (_name, before, now, expected) => {
    const node = { nodeName: 'node' };
    expect(updated(pods, pods.update, annotated(before, node), annotated(now, node)).faults).toEqual(expected);
  });
});
