/** What takes its time: rollouts of every kind that has them, waiting, deleting, and nodes that are emptied. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { TestCluster } from '../support/cluster.ts';
import { type Step, steps } from '../support/steps.ts';

const cluster = new TestCluster('rollout');
const file = (name: string) => join(cluster.dir, name);

beforeAll(async () => {
  writeFileSync(
    file('two.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: ['d1', 'd2'].map((name) => config(name)) }),
  );
  await cluster.up('--runtime', 'simulated', '--nodes', '2');
});
afterAll(() => cluster.remove());

const config = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { d: 'yes' } } });
const workload = (kind: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { kind } },
    template: {
      metadata: { labels: { kind } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'nginx:1' }] },
    },
    ...more,
  },
});

const WORKLOADS: readonly (readonly [string, object])[] = [
  ['deployment', workload('Deployment', { replicas: 2 })],
  ['daemonset', workload('DaemonSet')],
  ['statefulset', workload('StatefulSet', { replicas: 2, serviceName: 'web' })],
];

describe.each(WORKLOADS)('kubectl rollout of a %s', (kind, manifest) => {
  const of = `${kind}/web`;
  const image = (expected: string): readonly [string, string] => [`get ${of} -o jsonpath={..image}`, expected];
  const pausing: Step[] =
    kind === 'deployment'
      ? [
          { run: `rollout pause ${of}`, says: 'paused' },
          { run: `rollout pause ${of}`, fails: true, says: 'already paused' },
          { run: `rollout undo ${of}`, fails: true, says: 'paused' },
          { run: `set image ${of} c=nginx:4`, leaves: [`get ${of} -o jsonpath={.status.updatedReplicas}`, /^$/] },
          { run: `rollout resume ${of}`, says: 'resumed' },
          { run: `rollout status ${of} --timeout=30s`, says: 'successfully rolled out' },
        ]
      : [{ run: `rollout pause ${of}`, fails: true, says: 'pausing is not supported' }];
  steps(cluster, [
    { run: 'apply -f -', input: manifest, says: 'created' },
    { run: `rollout status ${of} --timeout=30s`, says: /successfully rolled out|roll out complete/ },
    { run: `set image ${of} c=nginx:2`, says: 'updated' },
    { run: `annotate ${of} kubernetes.io/change-cause=second` },
    { run: `rollout status ${of} --timeout=30s -w=true`, says: /successfully rolled out|roll out complete/ },
    { run: `rollout history ${of}`, says: /REVISION +CHANGE-CAUSE\n1 +<none>\n2 / },
    { run: `rollout history ${of} --revision=1`, says: /Image:\s+nginx:1/ },
    { run: `rollout history ${of} --revision=9`, fails: true, says: /unable to find|not found/ },
    { run: `rollout undo ${of}`, says: 'rolled back', leaves: image('nginx:1') },
    { run: `rollout undo ${of}`, leaves: image('nginx:2') },
    { run: `rollout undo ${of} --to-revision=3`, leaves: image('nginx:1') },
    {
      run: `rollout restart ${of}`,
      says: 'restarted',
      leaves: [`get ${of} -o yaml`, 'kubectl.kubernetes.io/restartedAt'],
    },
    { run: `rollout status ${of} --timeout=30s`, says: /successfully rolled out|roll out complete/ },
    ...pausing,
    { run: `delete ${of} --cascade=orphan`, says: 'deleted', leaves: [`get pods -l kind -o name`, 'pod/web-'] },
    {
      run: 'apply -f -',
      input: manifest,
      says: 'created',
      leaves: ['get pods -o jsonpath={.items[*].metadata.ownerReferences[*].name}', 'web'],
    },
    { run: `delete ${of} --cascade=foreground`, says: 'deleted' },
    { run: 'delete rs,pods,controllerrevisions --all --force --grace-period=0', says: /deleted|No resources found/ },
  ]);
});

describe('kubectl wait', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'w', labels: { w: 'yes' } },
    spec: { containers: [{ name: 'c', image: 'nginx' }] },
  };
  steps(cluster, [
    { run: 'apply -f -', input: pod },
    { run: 'wait pod/w --for=condition=Ready --timeout=20s', says: 'pod/w condition met' },
    { run: "wait pod -l w=yes --for=jsonpath='{.status.phase}'=Running --timeout=20s", says: 'condition met' },
    { run: "wait pod/w --for=jsonpath='{.status.podIP}' --timeout=20s", says: 'condition met' },
    { run: 'wait pod/w --for=condition=Ready=False --timeout=300ms', fails: true, says: 'timed out' },
    { run: 'wait pod/absent --for=delete --timeout=5s' },
    { run: 'wait pod/absent --for=condition=Ready --timeout=5s', fails: true, says: 'NotFound' },
    { run: 'delete pod w --wait=false --grace-period=1', says: 'deleted' },
    { run: 'wait pod/w --for=delete --timeout=20s' },
    { run: 'wait cm/kube-root-ca.crt --for=create --timeout=5s', says: 'condition met' },
  ]);
});

describe('kubectl delete', () => {
  const long = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'long' },
    spec: { terminationGracePeriodSeconds: 300, containers: [{ name: 'c', image: 'nginx' }] },
  };
  steps(cluster, [
    { run: `apply -f ${file('two.json')}` },
    { run: `delete -f ${file('two.json')}`, says: /configmap "d1" deleted.*\nconfigmap "d2" deleted/ },
    { run: `delete -f ${file('two.json')}`, fails: true, says: 'NotFound' },
    { run: `delete -f ${file('two.json')} --ignore-not-found`, says: /^$/ },
    { run: `apply -f ${file('two.json')}` },
    {
      run: 'delete cm -l d=yes --dry-run=server',
      says: 'deleted (server dry run)',
      leaves: ['get cm d1 -o name', 'd1'],
    },
    { run: 'delete cm -l d=yes', says: 'deleted', leaves: ['get cm -l d=yes', /^$/] },
    { run: 'delete --raw /api/v1/namespaces/default/configmaps/none', fails: true, says: 'NotFound' },
    { run: 'apply -f -', input: long },
    { run: 'wait pod/long --for=condition=Ready --timeout=20s' },
    { run: 'delete pod long --grace-period=0 --force', says: 'force deleted' },
    { run: 'get pod long', fails: true, says: 'NotFound' },
    { run: 'create namespace gone' },
    { run: 'create configmap in-it -n gone' },
    { run: 'create deployment in-it -n gone --image=nginx' },
    { run: 'delete namespace gone --timeout=30s', says: 'deleted' },
    { run: 'get ns gone', fails: true, says: 'NotFound' },
    { run: 'delete namespace default', fails: true, says: 'this namespace may not be deleted' },
  ]);
});

describe('nodes', () => {
  steps(cluster, [
    { run: 'create deployment moved --image=nginx --replicas=4', leaves: ['get deploy moved', /4\/4/] },
    { run: 'cordon node-0', says: 'node/node-0 cordoned', leaves: ['get node node-0', 'Ready,SchedulingDisabled'] },
    { run: 'cordon node-0', says: 'already cordoned' },
    { run: 'drain node-0 --ignore-daemonsets --delete-emptydir-data --timeout=40s', says: 'node/node-0 drained' },
    { run: 'get pods -l app=moved --field-selector=spec.nodeName=node-0', says: /^$/ },
    { run: 'get deploy moved', says: /4\/4/, soon: true },
    { run: 'uncordon node-0', says: 'uncordoned', leaves: ['get node node-0', /Ready +</] },
    { run: 'run alone --image=nginx --restart=Never', leaves: ['get pod alone', 'Running'] },
    {
      run: 'drain -l kubernetes.io/os=linux --ignore-daemonsets --timeout=5s',
      fails: true,
      says: 'declare no controller',
    },
    { run: 'uncordon node-0 node-1', says: 'uncordoned' },
    { run: 'create pdb keep --selector=app=moved --min-available=4', leaves: ['get pdb keep', /keep +4 +N\/A +0 /] },
    { run: 'drain node-0 --ignore-daemonsets --force --timeout=4s', fails: true, says: 'disruption budget' },
    { run: 'uncordon node-0' },
    {
      run: 'taint nodes node-0 key=value:NoSchedule',
      says: 'tainted',
      leaves: ['describe node node-0', 'key=value:NoSchedule'],
    },
    { run: 'taint nodes node-0 key=other:NoSchedule', fails: true, says: 'already has' },
    { run: 'taint nodes node-0 key=other:NoSchedule --overwrite', says: 'modified' },
    { run: 'taint nodes node-0 evict=yes:NoExecute', leaves: ['get pods --field-selector=spec.nodeName=node-0', /^$/] },
    { run: 'taint nodes node-0 key- evict-', says: 'untainted' },
    { run: 'taint nodes node-0 bad=value:Sometimes', fails: true },
    { run: 'label node node-0 node-role.kubernetes.io/worker=', leaves: ['get node node-0', /worker/] },
    { run: 'delete node node-1', says: 'deleted' },
  ]);
});
