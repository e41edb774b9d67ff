import { afterEach, beforeEach, expect, it } from 'vitest';
import { jobs } from '../../src/apis/batch/job.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { resourceClaims } from '../../src/apis/resource/resourceClaim.ts';
import { resourceClaimTemplates } from '../../src/apis/resource/resourceClaimTemplate.ts';
import { ANNOTATION_PREFIX } from '../../src/kubelet/simulated/behavior.ts';
import { NAMESPACE, Simulation } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start({ nodes: 1 });
});
afterEach(() => world.stop());

const claims = async () => (await world.cluster.client.list(resourceClaims, { namespace: NAMESPACE })).items;

it('a claim is made for a pod, let go of when the pod is done, and goes', async () => {
  const spec = { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } };
  await world.create(resourceClaimTemplates, 'gpus', { spec: { spec } });
  const metadata = { name: 'p', namespace: NAMESPACE, annotations: { [`${ANNOTATION_PREFIX}run-for`]: '10s' } };
  await world.cluster.client.create(pods, {
    metadata,
    spec: {
      nodeName: 'node-0',
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'one', resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }],
    },
  });
  await world.advance('1s');
  const [claim] = await claims();
  expect((await world.get(pods, 'p')).status?.resourceClaimStatuses).toEqual([
    { name: 'gpu', resourceClaimName: claim?.metadata.name },
  ]);
  if (claim === undefined) throw new Error('no claim was made');
  // What a scheduler does.
  const finalizers = ['resource.kubernetes.io/delete-protection'];
  const held = await world.patch(resourceClaims, claim.metadata.name, { metadata: { finalizers } });
  const results = [{ request: 'one', driver: 'gpu.example.com', pool: 'node-0', device: 'gpu-0' }];
  await world.cluster.client.update(
    resourceClaims,
    { ...held, status: { allocation: { devices: { results } } } },
    { subresource: 'status' },
  );
  await world.advance('1s');
  expect((await claims())[0]?.status?.reservedFor).toMatchObject([{ resource: 'pods', name: 'p' }]);
  await world.advance('10s');
  expect(await claims()).toEqual([]);
});

it('pods of a job have a claim each', async () => {
  await world.create(resourceClaimTemplates, 'gpus', { spec: { spec: {} } });
  await world.create(jobs, 'train', {
    spec: {
      completions: 3,
      parallelism: 3,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'c', image: 'one' }],
          resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }],
        },
      },
    },
  });
  await world.advance('500ms');
  const owners = new Set((await claims()).map((claim) => claim.metadata.ownerReferences?.[0]?.uid));
  expect(owners.size).toBe(3);
});
