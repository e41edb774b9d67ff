/** The verbs that change objects: apply in both kinds, edit, label, annotate, patch, replace, set. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../support/cluster.ts';
import { exampleOf } from '../support/examples.ts';
import { steps } from '../support/steps.ts';

const cluster = new TestCluster('change');
const file = (name: string) => join(cluster.dir, name);
const editor = (name: string, script: string) => {
  writeFileSync(file(name), `#!/bin/sh\n${script}\n`);
  chmodSync(file(name), 0o755);
};
const config = (data: Record<string, string>, name = 'c', labels?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  data,
});
const web = (image: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
  },
});
const json = (what: string, path: string): string => `get ${what} -o jsonpath='${path}'`;

beforeAll(async () => {
  editor('sed-editor', 'sed -i s/old/new/ "$1"');
  editor('break-editor', 'test -f "$0.done" && exit 0; touch "$0.done"; sed -i s/data:/data:\\ 7\\\\nx:/ "$1"');
  mkdirSync(file('kustom'));
  writeFileSync(
    file('kustom/kustomization.yaml'),
    'namePrefix: pre-\ncommonAnnotations: {by: kustomize}\nresources: [cm.yaml]\nconfigMapGenerator:\n- name: gen\n  literals: [a=1]\n',
  );
  writeFileSync(file('kustom/cm.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n');
  writeFileSync(
    file('two.yaml'),
    ['a', 'b'].map((n) => `---\n${JSON.stringify(config({ n }, `set-${n}`, { set: 'yes' }))}\n`).join(''),
  );
  writeFileSync(file('one.yaml'), JSON.stringify(config({ n: 'a' }, 'set-a', { set: 'yes' })));
  await cluster.up('--runtime', 'simulated');
});
afterAll(() => cluster.remove());

describe('kubectl apply', () => {
  steps(cluster, [
    { run: 'apply -f -', input: config({ a: '1', b: '2' }), says: 'configmap/c created' },
    { run: 'apply -f -', input: config({ a: '1', b: '2' }), says: 'configmap/c unchanged' },
    {
      run: 'apply -f -',
      input: config({ a: '3' }),
      says: 'configmap/c configured',
      leaves: [json('cm c', '{.data}'), '{"a":"3"}'],
    },
    { run: 'apply view-last-applied cm c -o json', says: '"a": "3"' },
    { run: 'diff -f -', input: config({ a: '3' }) },
    { run: 'diff -f -', input: config({ a: '4' }), fails: true, says: /- {2}a: "3"\n\+ {2}a: "4"/ },
    { run: `apply -f ${file('two.yaml')}`, says: 'configmap/set-a created\nconfigmap/set-b created' },
    {
      run: `apply -f ${file('one.yaml')} --prune -l set=yes`,
      says: 'configmap/set-b pruned',
      leaves: ['get cm -l set=yes -o name', /^configmap\/set-a\n$/],
    },
    { run: `apply -k ${file('kustom')}`, says: /configmap\/pre-gen-\w+ created\nconfigmap\/pre-one created/ },
    { run: `diff -k ${file('kustom')}` },
    { run: `delete -k ${file('kustom')}`, says: 'deleted' },
    { run: 'create configmap bare --from-literal=x=old' },
    { run: `apply set-last-applied --create-annotation -f -`, input: config({ x: 'old' }, 'bare'), says: 'configured' },
    { run: 'apply view-last-applied cm bare', says: 'x: old' },
    {
      run: 'apply -f - --dry-run=server',
      input: web('nginx', 1),
      says: 'deployment.apps/web created (server dry run)',
    },
    { run: 'apply -f - --dry-run=client -o name', input: web('nginx', 1), says: 'deployment.apps/web' },
    { run: 'apply -f -', input: web('nginx', 1), says: 'created' },
    {
      run: 'apply -f -',
      input: web('nginx:1.22', 2),
      says: 'configured',
      leaves: [json('deploy web', '{..image}'), 'nginx:1.22'],
    },
    {
      run: 'apply -f -',
      input: { ...web('nginx', 1), spec: { ...web('nginx', 1).spec, replicas: -1 } },
      fails: true,
      says: 'spec.replicas: Invalid value: -1',
    },
    {
      run: 'apply -f -',
      input: { ...web('nginx', 1), spec: { ...web('nginx', 1).spec, selector: { matchLabels: { a: 'b' } } } },
      fails: true,
      says: 'spec.selector',
    },
  ]);
});

describe('kubectl apply --server-side', () => {
  steps(cluster, [
    { run: 'apply --server-side -f -', input: config({ a: '1', b: '1' }, 's'), says: 'configmap/s serverside-applied' },
    {
      run: 'apply --server-side --field-manager=other -f -',
      input: config({ b: '2' }, 's'),
      fails: true,
      says: 'conflict with "kubectl": .data.b',
    },
    {
      run: 'apply --server-side --field-manager=other --force-conflicts -f -',
      input: config({ b: '2', c: '2' }, 's'),
      says: 'serverside-applied',
    },
    {
      run: 'apply --server-side -f -',
      input: config({ a: '1' }, 's'),
      says: 'serverside-applied',
      leaves: [json('cm s', '{.data}'), '{"a":"1","b":"2","c":"2"}'],
    },
    {
      run: 'apply --server-side --field-manager=other -f -',
      input: config({ c: '2' }, 's'),
      leaves: [json('cm s', '{.data}'), '{"a":"1","c":"2"}'],
    },
    { run: 'get cm s -o yaml --show-managed-fields', says: /manager: other\n +operation: Apply/ },
    {
      run: 'apply --server-side -f - --dry-run=server',
      input: config({ a: 'dry' }, 's'),
      says: 'server dry run',
      leaves: [json('cm s', '{.data.a}'), '1'],
    },
    {
      run: 'diff --server-side --force-conflicts -f -',
      input: config({ a: '5' }, 's'),
      fails: true,
      says: '+  a: "5"',
    },
    { run: 'apply --server-side --force-conflicts -f -', input: web('nginx', 2), says: 'serverside-applied' },
    {
      run: 'apply --server-side -f -',
      // What kubectl applied on its own side before is its own: there is nobody to be in conflict with.
      input: config({ a: '3' }),
      leaves: [json('cm c', '{.data.a}'), '3'],
    },
    {
      run: 'apply --server-side --force-conflicts -f -',
      input: config({ a: '9' }),
      leaves: [json('cm c', '{.data.a}'), '9'],
    },
    { run: 'apply --server-side -f -', input: { ...config({}, 's'), dada: 1 }, fails: true, says: 'dada' },
  ]);
});

describe('kubectl edit', () => {
  const edit = async (script: string, ...args: string[]) =>
    cluster.tryKubectl(args, { env: { ...cluster.env, KUBE_EDITOR: file(script) } });

  it('changes what the editor changed', async () => {
    await cluster.kubectl('create', 'configmap', 'edited', '--from-literal=x=old');
    expect(await edit('sed-editor', 'edit', 'cm', 'edited')).toMatchObject({
      code: 0,
      stdout: 'configmap/edited edited\n',
    });
    expect(await cluster.kubectl('get', 'cm', 'edited', '-o', 'jsonpath={.data.x}')).toBe('new');
    expect((await edit('sed-editor', 'edit', 'cm', 'edited')).stderr).toContain('no changes made');
  });

  it('shows what the server refuses in the editor again', async () => {
    const { stdout, stderr } = await edit('break-editor', 'edit', 'cm', 'edited');
    expect(stdout + stderr).toMatch(/is invalid|not valid|cannot be|Edit cancelled/i);
    expect(await cluster.kubectl('get', 'cm', 'edited', '-o', 'jsonpath={.data.x}')).toBe('new');
  });

  it('edits what was last applied', async () => {
    const { code, stdout } = await edit('sed-editor', 'apply', 'edit-last-applied', 'cm', 'bare');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'configmap/bare edited\n' });
    expect(await cluster.kubectl('apply', 'view-last-applied', 'cm', 'bare')).toContain('x: new');
  });

  it('edits a subresource', async () => {
    const { code, stderr } = await edit('sed-editor', 'edit', 'deployment', 'web', '--subresource=status');
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });
});

describe('kubectl label and annotate', () => {
  steps(cluster, [
    { run: 'label cm c a=1 b=2', says: 'labeled', leaves: ['get cm c --show-labels', 'a=1,b=2'] },
    { run: 'label cm c a=2', fails: true, says: 'already has a value (1), and --overwrite is false' },
    { run: 'label cm c a=2 --overwrite', leaves: ['get cm -l a=2 -o name', 'configmap/c'] },
    { run: 'label cm c b-', says: 'unlabeled', leaves: ['get cm c -L a -L b', /c +\d+ +\d+\w* +2/] },
    { run: 'label cm --all all=yes', leaves: ['get cm -l all=yes -o name', 'configmap/s'] },
    { run: 'label cm c --list', says: 'a=2' },
    { run: "label cm c 'bad key=x'", fails: true },
    { run: 'label cm c a=2 --resource-version=1 --overwrite', fails: true },
    { run: "annotate cm c note='two words'", leaves: [json('cm c', '{.metadata.annotations.note}'), 'two words'] },
    {
      run: 'annotate cm c note- --overwrite',
      says: 'annotate',
      leaves: [json('cm c', '{.metadata.annotations.note}'), /^$/],
    },
    { run: 'annotate cm c --list' },
  ]);
});

describe('kubectl patch', () => {
  const patch = (type: string, value: unknown) => `patch cm c --type=${type} -p '${JSON.stringify(value)}'`;
  steps(cluster, [
    { run: patch('merge', { data: { a: null, m: '1' } }), leaves: [json('cm c', '{.data}'), '{"m":"1"}'] },
    {
      run: patch('json', [
        { op: 'add', path: '/data/j', value: '1' },
        { op: 'test', path: '/data/m', value: '1' },
      ]),
      leaves: [json('cm c', '{.data.j}'), '1'],
    },
    { run: patch('json', [{ op: 'test', path: '/data/m', value: 'other' }]), fails: true, says: /test|invalid/i },
    { run: patch('json', [{ op: 'remove', path: '/data/none' }]), fails: true },
    {
      run: patch('strategic', { metadata: { labels: { p: 'yes' } } }),
      leaves: ['get cm -l p=yes -o name', 'configmap/c'],
    },
    {
      run: `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}'`,
      leaves: [json('deploy web', '{..containers[*].name}'), 'side web'],
    },
    {
      run: `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}'`,
      leaves: [json('deploy web', '{..containers[*].name}'), /^web$/],
    },
    {
      run: `patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":1}}'`,
      says: 'scale.autoscaling/web patched',
      leaves: ['get deploy web', /web +1\/1/],
    },
    {
      run: `patch deployment web --subresource=status --type=merge -p '{"status":{"observedGeneration":0}}'`,
      says: 'patched',
    },
    { run: patch('merge', { metadata: { name: 'other' } }), fails: true },
    { run: `patch cm c --type=merge -p '{"data":{"m":1}}'`, fails: true, says: 'data.m' },
    { run: patch('merge', { data: { m: '1' } }), says: 'patched (no change)' },
  ]);
});

describe('kubectl replace', () => {
  steps(cluster, [
    {
      run: 'replace -f -',
      input: config({ r: '1' }),
      says: 'configmap/c replaced',
      leaves: [json('cm c', '{.data}'), '{"r":"1"}'],
    },
    { run: 'replace -f -', input: config({}, 'absent'), fails: true, says: 'NotFound' },
    {
      run: 'replace --force -f -',
      input: config({ r: '2' }),
      says: 'deleted',
      leaves: [json('cm c', '{.data.r}'), '2'],
    },
    {
      run: 'replace -f -',
      input: { ...config({}), metadata: { name: 'c', resourceVersion: '1' } },
      fails: true,
      says: 'Conflict',
    },
    { run: 'replace --subresource=status -f -', input: web('nginx', 1), says: 'replaced' },
  ]);
});

describe('kubectl set', () => {
  steps(cluster, [
    {
      run: 'set image deployment/web web=nginx:1.25',
      says: 'image updated',
      leaves: [json('deploy web', '{..image}'), 'nginx:1.25'],
    },
    { run: 'set image deployment/web none=x', fails: true, says: 'unable to find container named "none"' },
    { run: 'set env deployment/web A=1 B=2', leaves: ['set env deployment/web --list', 'A=1\nB=2'] },
    { run: 'set env deployment/web B-', leaves: ['set env deployment/web --list', /A=1\n$/] },
    { run: 'set env deployment/web --from=configmap/c --prefix=C_', leaves: ['set env deployment/web --list', 'C_R'] },
    {
      run: 'set resources deployment web --limits=cpu=200m,memory=64Mi --requests=cpu=100m',
      leaves: [json('deploy web', '{..resources.limits.cpu}'), '200m'],
    },
    { run: 'create service clusterip sel --tcp=80', says: 'created' },
    { run: 'set selector service sel app=web', leaves: [json('svc sel', '{.spec.selector}'), '{"app":"web"}'] },
    { run: 'create serviceaccount runner' },
    {
      run: 'set serviceaccount deployment web runner',
      leaves: [json('deploy web', '{..serviceAccountName}'), 'runner'],
    },
    { run: 'create rolebinding rb --clusterrole=view --user=jane' },
    {
      run: 'set subject rolebinding rb --user=bob --group=devs',
      leaves: [json('rolebinding rb', '{.subjects[*].name}'), 'jane bob devs'],
    },
  ]);
});

describe('kubectl certificate', () => {
  const request = (name: string) => ({
    ...exampleOf('certificates.k8s.io/v1', 'CertificateSigningRequest'),
    metadata: { name },
  });
  steps(cluster, [
    { run: 'create -f -', input: request('wanted'), leaves: ['get csr wanted', /wanted .* Pending/] },
    {
      run: 'certificate approve wanted',
      says: 'certificatesigningrequest.certificates.k8s.io/wanted approved',
      leaves: ['get csr wanted', /wanted .* Approved/],
    },
    { run: 'certificate deny wanted', fails: true },
    { run: 'create -f -', input: request('unwanted') },
    { run: 'certificate deny unwanted', leaves: ['get csr unwanted', /unwanted .* Denied/] },
    { run: 'certificate approve absent', fails: true, says: 'not found' },
  ]);
});
