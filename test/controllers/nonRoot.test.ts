/** Pods that may not run as root run on simulated nodes, too, whatever their images are. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pods } from '../../src/apis/core/pod.ts';
import { isReady, Simulation } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

it('runs', async () => {
  await world.create(pods, 'restricted', {
    spec: { securityContext: { runAsNonRoot: true }, containers: [{ name: 'main', image: 'one' }] },
  });
  await world.advance('3s');
  expect(isReady(await world.get(pods, 'restricted'))).toBe(true);
});
