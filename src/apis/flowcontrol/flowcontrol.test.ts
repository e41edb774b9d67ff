import { describe, expect, test } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { createFaults, received, updated } from '../testing/create.ts';
import { flowSchemas } from './flowSchema.ts';
import { EXEMPT, MANDATORY_FLOW_SCHEMAS, MANDATORY_PRIORITY_LEVELS } from './mandatory.ts';
import { priorityLevelConfigurations } from './priorityLevelConfiguration.ts';

const metadata = { name: 'x' };
const subject = { kind: 'User', user: { name: 'anna' } };
const resourceRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['a'] };

describe('flow schemas', () => {
  const spec = {
    priorityLevelConfiguration: { name: 'p' },
    rules: [{ subjects: [subject], resourceRules: [resourceRule] }],
  };
  const rule = (more: object) => ({ rules: [{ subjects: [subject], resourceRules: [{ ...resourceRule, ...more }] }] });
  const path = (...nonResourceURLs: string[]) => ({
    rules: [{ subjects: [subject], nonResourceRules: [{ verbs: ['*'], nonResourceURLs }] }],
  });
  const who = (...subjects: object[]) => ({ rules: [{ subjects, resourceRules: [resourceRule] }] });
  test.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['below 1', { matchingPrecedence: -1 }, ['spec.matchingPrecedence: Invalid']],
    ['first of all', { matchingPrecedence: 1 }, ['spec.matchingPrecedence: Invalid']],
    ['too late', { matchingPrecedence: 10001 }, ['spec.matchingPrecedence: Invalid']],
    ['a distinguisher', { distinguisherMethod: { type: 'ByMood' } }, ['spec.distinguisherMethod.type: NotSupported']],
    ['no level', { priorityLevelConfiguration: {} }, ['spec.priorityLevelConfiguration.name: Required']],
    ['nobody', who(), ['spec.rules[0].subjects: Required']],
    [
      'a subject of two kinds',
      who({ ...subject, group: { name: 'g' } }),
      ['spec.rules[0].subjects[0].group: Forbidden'],
    ],
    ['a subject of no kind', who({ kind: 'Dog' }), ['spec.rules[0].subjects[0].kind: NotSupported']],
    ['a subject without itself', who({ kind: 'Group' }), ['spec.rules[0].subjects[0].group: Required']],
    [
      'an account of no namespace',
      who({ kind: 'ServiceAccount', serviceAccount: { name: '*' } }),
      ['spec.rules[0].subjects[0].serviceAccount.namespace: Required'],
    ],
    ['nothing', { rules: [{ subjects: [subject] }] }, ['spec.rules[0]: Required']],
    ['a verb', rule({ verbs: ['eat'] }), ['spec.rules[0].resourceRules[0].verbs: NotSupported']],
    ['all and one', rule({ apiGroups: ['*', 'apps'] }), ['spec.rules[0].resourceRules[0].apiGroups: Invalid']],
    ['no namespace', rule({ namespaces: [] }), ['spec.rules[0].resourceRules[0].namespaces: Required']],
    ['a bad namespace', rule({ namespaces: ['A'] }), ['spec.rules[0].resourceRules[0].namespaces[0]: Invalid']],
    ['paths', path('/', '/a', '/a/*'), []],
    ['a relative path', path('a'), ['spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid']],
    ['a star within', path('/a*'), ['spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid']],
  ])('%s', (_what, more, faults) => {
    expect(createFaults(flowSchemas, { metadata, spec: { ...spec, ...more } })).toEqual(faults);
  });

  test('that must be there are what they are', () => {
    for (const [name, fixed] of MANDATORY_FLOW_SCHEMAS) {
      expect(createFaults(flowSchemas, { metadata: { name }, spec: fixed })).toEqual([]);
      const changed = { ...fixed, distinguisherMethod: { type: 'ByNamespace' } };
      expect(createFaults(flowSchemas, { metadata: { name }, spec: changed })).toEqual(['spec: Invalid']);
    }
  });

  test('have defaults, a row, and a status apart', () => {
    const schema = received(flowSchemas, { metadata, spec });
    const { cells } = tableRow(flowSchemas, schema, 0, 'None') as { cells: unknown[] };
    expect(cells).toEqual(['x', 'p', 1000, '<none>', '<unknown>', '?']);
    const status = { conditions: [{ type: 'Dangling', status: 'True' }] };
    expect(updated(flowSchemas, flowSchemas.update, schema, { ...schema, status }).object.status).toEqual({});
    const { object } = updated(flowSchemas, flowSchemas.status, schema, { metadata, spec: {}, status });
    expect(object).toMatchObject({ spec, status });
  });
});

describe('priority levels', () => {
  const queuing = { queues: 8, handSize: 2, queueLengthLimit: 5 };
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: 'Queue', queuing } };
  const queued = (more: object) => ({
    limited: { ...limited, limitResponse: { type: 'Queue', queuing: { ...queuing, ...more } } },
  });
  const at = 'spec.limited.limitResponse';
  test.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['exempt', { type: 'Exempt', limited: undefined }, ['spec.type: Invalid']],
    ['no limits', { limited: undefined }, ['spec.limited: Required']],
    ['a type', { type: 'Free' }, ['spec.type: NotSupported']],
    [
      'negative shares',
      { limited: { ...limited, nominalConcurrencyShares: -1 } },
      ['spec.limited.nominalConcurrencyShares: Invalid'],
    ],
    ['too much lent', { limited: { ...limited, lendablePercent: 101 } }, ['spec.limited.lendablePercent: Invalid']],
    [
      'borrowing less than nothing',
      { limited: { ...limited, borrowingLimitPercent: -1 } },
      ['spec.limited.borrowingLimitPercent: Invalid'],
    ],
    ['no response', { limited: {} }, [`${at}.type: NotSupported`]],
    [
      'queues for what is refused',
      { limited: { ...limited, limitResponse: { type: 'Reject', queuing } } },
      [`${at}.queuing: Forbidden`],
    ],
    [
      'a queue without queues',
      { limited: { ...limited, limitResponse: { type: 'Queue' } } },
      [`${at}.queuing: Required`],
    ],
    ['a hand larger than the deck', queued({ handSize: 9 }), [`${at}.queuing.handSize: Invalid`]],
    ['more chance than there is', queued({ queues: 10_000_000, handSize: 8 }), [`${at}.queuing.handSize: Invalid`]],
    ['no queues', queued({ queues: -1 }), [`${at}.queuing.queues: Invalid`, `${at}.queuing.handSize: Invalid`]],
  ])('%s', (_what, more, faults) => {
    expect(
      createFaults(priorityLevelConfigurations, { metadata, spec: { type: 'Limited', limited, ...more } }),
    ).toEqual(faults);
  });

  test('that must be there are what they are, but for what the exempt one lends', () => {
    for (const [name, spec] of MANDATORY_PRIORITY_LEVELS) {
      expect(createFaults(priorityLevelConfigurations, { metadata: { name }, spec })).toEqual([]);
    }
    const lending = { type: 'Exempt', exempt: { nominalConcurrencyShares: 5, lendablePercent: 50 } };
    expect(createFaults(priorityLevelConfigurations, { metadata: { name: EXEMPT }, spec: lending })).toEqual([]);
  });

  test('have defaults and a row', () => {
    const level = received(priorityLevelConfigurations, {
      metadata,
      spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } },
    });
    const { cells } = tableRow(priorityLevelConfigurations, level, 0, 'None') as { cells: unknown[] };
    expect(cells).toEqual(['x', 'Limited', 30, 64, 8, 50, '<unknown>']);
  });
});
