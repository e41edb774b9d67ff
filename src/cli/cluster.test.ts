import { expect, it } from 'vitest';
import { dataDirOf, pathsOf } from '../cluster/config.ts';
import { meaning } from './cluster.ts';

it.each([
  ['kubets', undefined, ''],
  ['two', undefined, ' --name two'],
  ['kubets', '/data/none', ' --data-dir /data/none'],
  ['two', '/data/none', ' --name two --data-dir /data/none'],
])('the cluster %s in %s is meant with "%s"', (name, dataDir, flags) => {
  expect(meaning(name, pathsOf(dataDirOf(name, dataDir)))).toBe(flags);
});
