/** The verbs that read: get in every form, watch, describe and explain of everything, and what the server tells of itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, TestCluster } from '../support/cluster.ts';
import { EXAMPLES, type Example } from '../support/examples.ts';
import { eventually } from '../support/process.ts';
import { steps } from '../support/steps.ts';

const cluster = new TestCluster('read');
/** This kubectl describes them by a beta version, which is off by default. */
const NOT_DESCRIBED: ReadonlySet<string> = new Set(['IPAddress', 'ServiceCIDR', 'VolumeAttributesClass']);

/** What `kubectl` calls a kind when several groups have it: `Event.v1.events.k8s.io`. */
function typed({ apiVersion, kind }: Example): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return `${kind}.${version}.${group}`;
}

beforeAll(async () => {
  await cluster.up('--runtime', 'simulated');
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', labels: { app: 'x' } }, data: { key: 'beta' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { app: 'x' } }, data: { key: 'gamma' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { key: 'alpha' } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', labels: { app: 'x' } },
        spec: { containers: [{ name: 'c', image: 'nginx' }] },
      },
    ],
  });
  await cluster.kubectl('wait', 'pod/p', '--for=condition=Ready', '--timeout=20s');
});
afterAll(() => cluster.remove());

describe('kubectl get', () => {
  steps(cluster, [
    { run: 'get cm a -o json', says: '"key": "gamma"' },
    { run: 'get cm a -o yaml', says: 'key: gamma' },
    { run: 'get cm -l app=x -o name', says: 'configmap/a\nconfigmap/b\n' },
    { run: 'get pod p -o wide', says: /p +1\/1 +Running +0 +\d+s +\d+\.\d+\.\d+\.\d+ +\S+ +<none> +<none>/ },
    { run: "get cm a -o jsonpath='{.data.key}'", says: /^gamma$/ },
    { run: `get cm -o jsonpath='{range .items[*]}{.metadata.name}{"\\n"}{end}' -l app=x`, says: 'a\nb\n' },
    { run: `get cm a -o go-template='{{.data.key}}'`, says: /^gamma$/ },
    { run: "get cm a -o jsonpath-as-json='{.data}'", says: /^\[\n +\{\n +"key": "gamma"\n +\}\n\]/ },
    { run: 'get cm a -o yaml --show-managed-fields', says: 'managedFields:' },
    { run: 'get cm a -o name', says: /^configmap\/a\n$/ },
    { run: 'get cm a -o nonsense', fails: true, says: 'unable to match a printer' },
    {
      run: "get cm -l app=x -o custom-columns='NAME:.metadata.name,KEY:.data.key'",
      says: /NAME +KEY\na +gamma\nb +beta/,
    },
    { run: 'get cm --sort-by=.data.key -l app=x --no-headers', says: /^b .*\na .*\n$/ },
    { run: "get cm --sort-by='{.metadata.name}'", says: /a .*\nb .*\nc / },
    { run: 'get pods --field-selector=metadata.name=p,status.phase=Running', says: 'p ' },
    { run: 'get pods --field-selector=status.phase!=Running', says: /^$/ },
    { run: 'get pods --field-selector=spec.nothing=x', fails: true, says: 'field label not supported: spec.nothing' },
    { run: "get pods -l 'app in (x,y),!z'", says: 'p ' },
    { run: "get pods -l 'app in ('", fails: true },
    { run: 'get cm -A', says: /^NAMESPACE +NAME +DATA +AGE\n/ },
    { run: 'get cm -A -o name', says: 'configmap/kube-root-ca.crt' },
    { run: 'get pods --show-labels', says: 'app=x' },
    { run: 'get pods --show-kind', says: 'pod/p ' },
    { run: 'get pods -L app', says: /p .* x\n/ },
    { run: 'get cm,pods', says: /configmap\/a[\s\S]*pod\/p/ },
    { run: 'get all', says: /pod\/p[\s\S]*service\/kubernetes/ },
    { run: 'get cm a none', fails: true, says: /a +1[\s\S]*"none" not found/ },
    { run: 'get cm none --ignore-not-found', says: /^$/ },
    { run: 'get nothings', fails: true, says: `the server doesn't have a resource type "nothings"` },
    { run: 'get pods -n none', says: /^$/ },
    { run: 'get cm --chunk-size=1 -o name', says: 'configmap/a\nconfigmap/b\nconfigmap/c\n' },
    { run: 'get pod p --subresource=status -o yaml', says: 'phase: Running' },
    { run: 'get --raw /api/v1/namespaces/default/configmaps/a', says: '"key":"gamma"' },
    { run: 'get --raw /nothing', fails: true, says: 'NotFound' },
    { run: 'get ns,nodes,sa -A', says: /namespace\/default[\s\S]*node\/[\s\S]*serviceaccount\/default/ },
    { run: 'get events --field-selector=involvedObject.name=p', says: 'Scheduled' },
    { run: 'events --for=pod/p', says: /Normal +Scheduled +Pod\/p/ },
    { run: 'events --types=Warning -A' },
    { run: 'describe pod p', says: /Events:[\s\S]*Scheduled/ },
    { run: 'describe pods -l app=x', says: 'Name:             p' },
    { run: 'describe node', says: /Non-terminated Pods: +\([1-9]/ },
    { run: 'describe ns default', says: 'Status:       Active' },
    { run: 'describe svc kubernetes', says: /Endpoints: +\S+:\d+/ },
  ]);

  it('-w goes on until it is told to stop', async () => {
    const watch = cluster.start('kubectl', ['get', 'cm', '-w', '--output-watch-events', '--request-timeout=20s']);
    await watch.said(/ADDED +a /);
    await cluster.kubectl('label', 'cm', 'c', 'seen=yes');
    await watch.said(/MODIFIED +c /);
    await cluster.kubectl('create', 'cm', 'later');
    await cluster.kubectl('delete', 'cm', 'later');
    await watch.said(/ADDED +later[\s\S]*DELETED +later/);
    await watch.stop();
    const short = await cluster.tryKubectl(['get', 'cm', '-w', '--request-timeout=1s']);
    expect(short.stdout).toMatch(/a +1/);
  });
});

describe('every kind', () => {
  it.each(EXAMPLES.map((example) => [`${example.apiVersion} ${example.kind}`, example] as const))(
    '%s is created, shown in every form, described and deleted',
    async (_name, example) => {
      const manifest = JSON.stringify(example);
      const type = typed(example);
      const { name } = example.metadata;
      const created = await cluster.tryKubectl(['create', '--validate=strict', '-f', '-'], {
        input: manifest,
      });
      expect(created).toMatchObject({ code: 0, stdout: expect.stringContaining('created') });
      expect(await cluster.kubectl('get', type, name)).toContain(name);
      expect(await cluster.kubectl('get', type, name, '-o', 'wide', '--show-labels')).toMatch(/LABELS\n/);
      expect(await cluster.kubectl('get', type, name, '-o', 'yaml')).toContain(`kind: ${example.kind}`);
      if (!NOT_DESCRIBED.has(example.kind)) {
        const described = await cluster.tryKubectl(['describe', type, name]);
        expect(described).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`Name: +${name}`)) });
        expect(described.stderr.replaceAll(/^Warning: .*\n/gm, '')).toBe('');
      }
      const replaced = await cluster.tryKubectl(['apply', '-f', '-'], { input: manifest });
      expect(replaced, replaced.stderr).toMatchObject({ code: 0 });
      expect(await cluster.kubectl('annotate', type, name, 'seen=yes')).toContain('annotated');
      expect(await cluster.kubectl('delete', type, name, '--wait=false')).toContain('deleted');
    },
  );
});

describe('what the server tells of itself', () => {
  steps(cluster, [
    { run: 'version', says: /Server Version: v1\.36/ },
    { run: 'version -o json', says: /"major": "1",\n +"minor": "36"/ },
    { run: 'cluster-info', says: 'Kubernetes control plane is running at' },
    { run: 'cluster-info dump --output-directory=/dev/null --namespaces=none', fails: true },
    { run: 'cluster-info dump --namespaces=none', says: '"kind": "NodeList"' },
    { run: 'api-versions', says: /apps\/v1\n[\s\S]*\nv1\n/ },
    { run: 'api-resources', says: /pods +po +v1 +true +Pod\n/ },
    { run: 'api-resources --api-group=apps -o name', says: 'deployments.apps' },
    {
      run: 'api-resources --namespaced=false --verbs=list,get -o wide',
      says: /nodes +no +v1 +false +Node +create,delete/,
    },
    { run: 'api-resources --categories=all -o name', says: 'pods\n' },
    { run: 'auth can-i create pods', says: 'yes' },
    { run: 'auth can-i create pods --as=jane', fails: true, says: 'no' },
    { run: 'auth can-i --list', says: /\*\.\* +\[\] +\[\] +\[\*\]/ },
    { run: 'auth can-i --list --as=system:serviceaccount:default:default', says: 'selfsubjectaccessreviews' },
    { run: 'auth can-i get pods/log', says: 'yes' },
    { run: 'auth whoami', says: /Username +kubernetes-admin[\s\S]*system:masters/ },
    { run: 'auth whoami --as=jane --as-group=devs -o json', says: '"username": "jane"' },
    {
      run: 'auth reconcile -f -',
      input: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'r', namespace: 'default' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      },
      says: 'reconciled',
    },
    { run: 'get --raw /readyz?verbose', says: '[+]ping ok' },
    { run: 'get --raw /livez', says: 'ok' },
    { run: 'get --raw /openapi/v2', says: '"swagger"' },
    { run: 'get --raw /openapi/v3', says: 'apis/apps/v1' },
    { run: 'get --raw /version', says: '"gitVersion"' },
    { run: 'options', says: '--kubeconfig' },
    { run: 'config view', says: 'kubets-read' },
  ]);

  it('explains every resource, plain and recursive', async () => {
    const names = (await cluster.kubectl('api-resources', '-o', 'name')).trim().split('\n');
    expect(names.length).toBeGreaterThan(25);
    const failed: string[] = [];
    const explain = async (name: string) => {
      const [resource, ...group] = name.split('.');
      // Some names are of two groups.
      const of = group.length === 0 ? [] : [`--api-version=${await versionOf(group.join('.'))}`];
      for (const how of [[], ['--recursive']]) {
        const { code, stdout, stderr } = await cluster.tryKubectl(['explain', resource ?? '', ...of, ...how]);
        if (code !== 0 || !/^KIND: /m.test(stdout) || !/^FIELDS:\n {2}\w/m.test(stdout))
          failed.push(`${name} ${how}: ${stderr}`);
      }
    };
    const versions = (await cluster.kubectl('api-versions')).split('\n');
    const versionOf = async (group: string) => versions.find((v) => v.startsWith(`${group}/`)) ?? '';
    const queue = [...names];
    const worker = async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) await explain(name);
    };
    await Promise.all([worker(), worker(), worker()]);
    expect(failed).toEqual([]);
  });

  steps(cluster, [
    { run: 'explain pod.spec.containers.livenessProbe.httpGet', says: /FIELD: httpGet[\s\S]*port/ },
    { run: 'explain deployment.spec.strategy.rollingUpdate.maxSurge', says: /FIELD: maxSurge <IntOrString>/ },
    { run: 'explain pod', says: /apiVersion\s+<string>\s+APIVersion defines/ },
    { run: 'explain pod.metadata', says: /creationTimestamp\s+<string>\s+CreationTimestamp is a timestamp/ },
    { run: 'explain pod.spec.containers', says: /image\t<string>\n {4}The image, such as/ },
    { run: 'explain deployment', says: /DESCRIPTION:\n {4}Keeps a number of equal pods/ },
    { run: 'explain pod.spec.nothing', fails: true, says: 'field "nothing" does not exist' },
    { run: 'explain pod --output=plaintext-openapiv2', says: 'FIELDS:' },
  ]);
});

describe('kubectl proxy', () => {
  it('passes requests on as the administrator', async () => {
    const port = await freePort();
    const proxy = cluster.start('kubectl', ['proxy', `--port=${port}`]);
    await proxy.said(/Starting to serve/);
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/namespaces/default/configmaps/a`);
      expect(await answer.json()).toMatchObject({ data: { key: 'gamma' } });
    });
    await proxy.stop();
  });
});
