/** `kubectl create` of everything that it makes by itself, with what then lies in the cluster. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { TestCluster } from '../support/cluster.ts';
import { run } from '../support/process.ts';
import { steps } from '../support/steps.ts';

const cluster = new TestCluster('generators');
const file = (name: string) => join(cluster.dir, name);

beforeAll(async () => {
  writeFileSync(file('plain.txt'), 'from a file\n');
  writeFileSync(file('env'), '# a comment\nA=1\nB=two words\n');
  const key = ['-nodes', '-newkey', 'rsa:2048', '-keyout', file('tls.key'), '-out', file('tls.crt')];
  const [made] = await Promise.all([
    run('openssl', ['req', '-x509', ...key, '-days', '1', '-subj', '/CN=example.com']),
    cluster.up('--runtime', 'simulated'),
  ]);
  if (made.code !== 0) throw new Error(made.stderr);
});
afterAll(() => cluster.remove());

const json = (what: string, path: string): string => `get ${what} -o jsonpath='${path}'`;

describe('kubectl create', () => {
  steps(cluster, [
    {
      run: 'create clusterrole reader --verb=get,list --resource=pods,deployments.apps --resource-name=x',
      says: 'clusterrole.rbac.authorization.k8s.io/reader created',
      leaves: [json('clusterrole reader', '{.rules[*].apiGroups}{.rules[0].resourceNames}'), '[""] ["apps"]["x"]'],
    },
    {
      run: 'create clusterrole urls --verb=get --non-resource-url=/metrics',
      leaves: [json('clusterrole urls', '{.rules[0].nonResourceURLs}'), '["/metrics"]'],
    },
    {
      run: 'create clusterrole sum --aggregation-rule=a=b',
      leaves: [json('clusterrole sum', '{.aggregationRule.clusterRoleSelectors[0].matchLabels.a}'), 'b'],
    },
    {
      run: 'create clusterrolebinding readers --clusterrole=reader --user=jane --group=devs --serviceaccount=default:default',
      leaves: [json('clusterrolebinding readers', '{.roleRef.name} {.subjects[*].name}'), 'reader jane devs default'],
    },
    {
      run: 'create configmap literal --from-literal=a=1 --from-literal=b=two',
      leaves: ['get cm literal', /literal +2 /],
    },
    {
      run: `create configmap filed --from-file=${file('plain.txt')} --from-file=named=${file('plain.txt')}`,
      leaves: [json('cm filed', '{.data.named}'), 'from a file\n'],
    },
    { run: `create configmap env --from-env-file=${file('env')}`, leaves: [json('cm env', '{.data.B}'), 'two words'] },
    { run: 'create configmap literal --from-literal=a=1', fails: true, says: 'already exists' },
    { run: 'create configmap Bad_Name', fails: true, says: 'metadata.name: Invalid value: "Bad_Name"' },
    {
      run: "create cronjob tick --image=busybox --schedule='*/5 * * * *' -- date",
      leaves: ['get cronjob tick', /tick +\*\/5 \* \* \* \* +<none> +False +0 +<none>/],
    },
    {
      run: 'create deployment web --image=nginx --replicas=2 --port=80',
      leaves: ['get deployment web', /web +2\/2 +2 +2 /],
    },
    {
      run: 'create ingress in --class=x --rule=example.com/path*=web:80,tls=cert',
      leaves: ['get ing in', /in +x +example.com +80, 443/],
    },
    {
      run: 'create job once --image=busybox -- true',
      leaves: [json('job once', '{.spec.template.spec.restartPolicy}'), 'Never'],
    },
    {
      run: 'create job again --from=cronjob/tick',
      leaves: [json('job again', '{.metadata.ownerReferences[0].kind}'), 'CronJob'],
    },
    { run: 'create namespace made', leaves: ['get ns made', /made +Active/] },
    {
      run: 'create poddisruptionbudget budget --selector=app=web --min-available=1',
      leaves: ['get pdb budget', /budget +1 +N\/A +1 /],
    },
    {
      run: 'create pdb percent --selector=app=web --max-unavailable=50%',
      leaves: ['get pdb percent', /percent +N\/A +50%/],
    },
    {
      run: 'create priorityclass high --value=1000 --description=important',
      leaves: ['get pc high', /high +1000 +false/],
    },
    {
      run: 'create quota limits --hard=configmaps=10 --scopes=NotTerminating',
      fails: true,
      says: /scope|Unsupported|Invalid/,
    },
    {
      run: 'create quota limits --hard=configmaps=50,services=10',
      leaves: ['get quota limits', /configmaps: \d+\/50/],
    },
    {
      run: 'create role editor --verb=* --resource=configmaps',
      leaves: [json('role editor', '{.rules[0].verbs}'), '["*"]'],
    },
    {
      run: 'create rolebinding editors --role=editor --serviceaccount=default:builder',
      leaves: ['get rolebinding editors -o wide', /editors +Role\/editor .*default\/builder/],
    },
    {
      run: 'create secret generic opaque --from-literal=password=hidden',
      leaves: ['get secret opaque', /opaque +Opaque +1 /],
    },
    {
      run: `create secret tls cert --cert=${file('tls.crt')} --key=${file('tls.key')}`,
      leaves: ['get secret cert', /cert +kubernetes.io\/tls +2 /],
    },
    {
      run: 'create secret docker-registry pull --docker-server=example.com --docker-username=u --docker-password=p',
      leaves: ['get secret pull', /pull +kubernetes.io\/dockerconfigjson +1 /],
    },
    {
      run: 'create service clusterip ci --tcp=80:8080',
      leaves: ['get svc ci', /ci +ClusterIP +10\.\S+ +<none> +80\/TCP/],
    },
    {
      run: 'create service clusterip headless --clusterip=None --tcp=80',
      leaves: ['get svc headless', /headless +ClusterIP +None /],
    },
    {
      run: 'create service nodeport np --tcp=80 --node-port=30123',
      leaves: ['get svc np', /np +NodePort +10\.\S+ +<none> +80:30123\/TCP/],
    },
    {
      run: 'create service nodeport np2 --tcp=80 --node-port=30123',
      fails: true,
      says: 'provided port is already allocated',
    },
    {
      run: 'create service loadbalancer lb --tcp=80',
      leaves: ['get svc lb', /lb +LoadBalancer +10\.\S+ +\S+ +80:\d+\/TCP/],
    },
    {
      run: 'create service externalname en --external-name=example.com',
      leaves: ['get svc en', /en +ExternalName +<none> +example.com +<none>/],
    },
    { run: 'create serviceaccount builder', leaves: ['get sa builder', /builder +0 /] },
    { run: 'create token builder --duration=1h --audience=x', says: /^[\w-]+\.[\w-]+\.[\w-]+\n?$/ },
    { run: 'create token builder --bound-object-kind=Secret --bound-object-name=opaque', says: /\./ },
    { run: 'create token absent', fails: true, says: 'not found' },
    {
      run: 'create -f - --dry-run=server -o name',
      input: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dry' } },
      says: 'configmap/dry',
    },
    { run: 'get cm dry', fails: true, says: 'NotFound' },
    {
      run: 'create -f - --validate=strict',
      input: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'odd' }, dada: {} },
      fails: true,
      says: 'unknown field "dada"',
    },
    {
      run: 'create -f -',
      input: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } },
      says: /configmap\/made-[a-z0-9]{5} created/,
    },
    {
      run: 'create -f -',
      input:
        'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: Secret, metadata: {name: l2}}\n',
      says: 'configmap/l1 created\nsecret/l2 created\n',
    },
  ]);
});

describe('kubectl run and expose', () => {
  steps(cluster, [
    {
      run: 'run single --image=nginx --port=80 --labels=app=single --env=A=1 --annotations=note=x',
      says: 'pod/single created',
      leaves: ['get pod single --show-labels', /single +1\/1 +Running +0 +\d+s +app=single/],
    },
    {
      run: 'run plain --image=busybox --restart=Never --command -- true',
      leaves: [json('pod plain', '{.spec.restartPolicy}'), 'Never'],
    },
    { run: 'run Single --image=nginx', fails: true, says: 'Invalid' },
    {
      run: 'expose pod single --name=single-svc --port=80',
      leaves: [json('svc single-svc', '{.spec.selector.app}'), 'single'],
    },
    {
      run: 'expose deployment web --port=8080 --target-port=80 --type=NodePort',
      leaves: ['get endpointslices -l kubernetes.io/service-name=web', /web-\w+ +IPv4 +80 +10/],
    },
    { run: 'expose deployment web --port=80', fails: true, says: 'already exists' },
    {
      run: 'autoscale deployment web --min=1 --max=3 --cpu-percent=50',
      leaves: ['get hpa web', /web +Deployment\/web +.*50% +1 +3 /],
    },
    { run: 'scale deployment web --replicas=3', leaves: ['get deploy web', /web +3\/3/] },
    {
      run: 'scale deployment web --current-replicas=7 --replicas=1',
      fails: true,
      says: 'Expected replicas to be 7, was 3',
    },
    { run: 'scale rs -l app=web --replicas=3 --timeout=10s', says: 'scaled' },
  ]);
});
