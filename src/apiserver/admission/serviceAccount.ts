/**
 * Every pod has a service account; its token, the cluster's CA and the namespace are mounted into the pod.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
 */
import type { Container } from '../../apis/core/container.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { type ServiceAccount, serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { randomSuffix } from '../../machinery/generateName.ts';
import type { Stored } from '../../machinery/kind.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import { MIRROR_ANNOTATION } from '../authorization/podReferences.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { AdmissionPlugin } from './plugin.ts';

const DEFAULT_ACCOUNT = 'default';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** An hour, and a little that tells these tokens from those asked for by hand. */
const TOKEN_SECONDS = 3607;
/** How long a pod in a new namespace waits for the controller to make the account `default`. */
const DEFAULT_ACCOUNT_WAIT_MS = 2_000;

export function serviceAccountAdmission(registry: Registry, clock: Clock, random: Random): AdmissionPlugin {
  const cache = registry.cache(serviceAccounts);
  return {
    name: 'ServiceAccount',
    resources: new Set(['/pods']),
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '') return;
      const pod = request.object as Pod;
      const { spec } = pod;
      if (spec === undefined || pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined) return;
      spec.serviceAccountName ||= spec.serviceAccount || DEFAULT_ACCOUNT;
      spec.serviceAccount = spec.serviceAccountName;
      const name = spec.serviceAccountName;
      const namespace = request.namespace ?? '';
      const use = (account: Stored<ServiceAccount> | undefined) => {
        if (account !== undefined) return applyAccount(spec, account, random);
        const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
        throw forbiddenRequest(pods, request.name, why);
      };
      const found = cache.ready ? cache.object(namespace, name) : undefined;
      return found === undefined ? wait(cache, clock, namespace, name).then(use) : use(found);
    },
  };
}

/** The account as soon as it is there. */
async function wait(
  cache: WatchCache<ServiceAccount>,
  clock: Clock,
  namespace: string,
  name: string,
): Promise<Stored<ServiceAccount> | undefined> {
  await cache.freshen();
  const found = cache.object(namespace, name);
  if (found !== undefined || name !== DEFAULT_ACCOUNT) return found;
  await new Promise<void>((resolve) => {
    const unlisten = cache.listen({
      onEvent: ({ type, entry }) => {
        if (type === 'ADDED' && entry.object.metadata.namespace === namespace) done();
      },
      onEnd: () => done(),
    });
    const deadline = clock.after(DEFAULT_ACCOUNT_WAIT_MS, () => done());
    const done = () => {
      unlisten();
      deadline.cancel();
      resolve();
    };
  });
  return cache.object(namespace, name);
}

function applyAccount(spec: PodSpec, account: Stored<ServiceAccount>, random: Random): void {
  if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
    spec.imagePullSecrets = account.imagePullSecrets.map((s) => ({ ...s }));
  }
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random);
}

function mountToken(spec: PodSpec, random: Random): void {
  const without = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(
    (c) => !(c.volumeMounts ?? []).some((m) => m.mountPath === MOUNT_PATH),
  );
  if (without.length === 0) return;
  const existing = (spec.volumes ?? []).find((v) => v.name?.startsWith(VOLUME_PREFIX));
  const volume = existing?.name ?? newVolumeName(spec, random);
  for (const container of without) mount(container, volume);
  if (existing === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
}

function mount(container: Container, name: string): void {
  container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
}

function newVolumeName(spec: PodSpec, random: Random): string {
  for (;;) {
    const name = `${VOLUME_PREFIX}${randomSuffix(random)}`;
    if (!spec.volumes?.some((v) => v.name === name)) return name;
  }
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 0o644,
    },
  };
}
