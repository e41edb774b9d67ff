/** Several real nodes: they join, their pods reach each other and every service, and they leave. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestNodes } from './support/nodes.ts';

const nodes = new TestNodes('nodes');
const kubectl = (...args: string[]) => nodes.cluster.kubectl(...args);

beforeAll(async () => {
  await nodes.start(2);
});
afterAll(() => nodes.remove());

describe('a node that joined', () => {
  it('is Ready', async () => {
    expect(await kubectl('get', 'nodes', 'node-1')).toMatch(/node-1 +Ready/);
  });
});
