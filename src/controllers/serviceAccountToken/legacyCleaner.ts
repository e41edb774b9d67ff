/**
 * Does away with tokens that were once made for every service account and that nobody has used for a year: they are
 * first marked invalid, and a year later removed.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner
 */
import { configMaps } from '../../apis/core/configMap.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { type ServiceAccount, serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import type { Action } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { accountOf, TOKEN_TYPE } from './plan.ts';

const LAST_USED = 'kubernetes.io/legacy-token-last-used';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
/** Says since when the API server has been noting the use of tokens. */
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' };
const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;
const ALL = 'all';

export function startLegacyTokenCleaner(context: ControllerContext): void {
  const informer = context.informers.of(secrets, { fieldSelector: `type=${TOKEN_TYPE}` });
  const accounts = context.informers.of(serviceAccounts);
  const maps = context.informers.of(configMaps);
  const podInformer = context.informers.of(pods);
  const { clock } = context;
  const loop = startLoop({
    name: 'legacy-service-account-token-cleaner',
    context,
    reads: [informer, accounts, maps, podInformer],
    plan() {
      const now = clock.now();
      const since = dateOf(maps.get(TRACKING.namespace, TRACKING.name)?.data?.since);
      const isTracked = since !== undefined && now >= since + DAY_MS + YEAR_MS;
      const used = isTracked && informer.size > 0 ? mounted(podInformer.list()) : new Set<string>();
      const actions = !isTracked
        ? []
        : informer.list().flatMap((secret) => {
            const { namespace, name } = secret.metadata;
            if (used.has(`${namespace}/${name}`)) return [];
            return planUnused(secret, accounts.get(namespace, accountOf(secret) ?? ''), now);
          });
      return { actions, againMs: DAY_MS };
    },
  });
  informer.synced.then(
    () => loop.enqueue(ALL),
    () => {
      // Stopped before there was anything to look at.
    },
  );
}

/** @param account that the secret names @param now ms since the epoch */
export function planUnused(secret: Stored<Secret>, account: Stored<ServiceAccount> | undefined, now: number): Action[] {
  const { name, namespace, uid, labels, creationTimestamp, deletionTimestamp } = secret.metadata;
  const limit = now - YEAR_MS;
  const used = labels?.[LAST_USED];
  const usedAt = dateOf(used);
  if (deletionTimestamp !== undefined || (parseTime(creationTimestamp) ?? now) >= limit) return [];
  // What cannot be read tells nothing. Days are compared, not moments.
  if (used !== undefined && (usedAt === undefined || usedAt > limit - DAY_MS)) return [];
  const uidOf = secret.metadata.annotations?.['kubernetes.io/service-account.uid'] ?? '';
  const isOf = account !== undefined && (uidOf === '' || uidOf === account.metadata.uid);
  // Tokens that somebody asked for by hand are listed nowhere.
  if (!isOf || !account.secrets?.some((reference) => reference.name === name)) return [];
  const invalidAt = dateOf(labels?.[INVALID_SINCE]);
  if (invalidAt === undefined) {
    const patch = { metadata: { uid, labels: { [INVALID_SINCE]: formatTime(now).slice(0, 10) } } };
    return [{ verb: 'patch', kind: secrets as Kind, ref: { name, namespace }, type: 'merge', patch }];
  }
  return invalidAt > limit - DAY_MS ? [] : [{ verb: 'delete', kind: secrets as Kind, object: secret }];
}

/** Midnight of `2026-01-31`; undefined for anything else. */
function dateOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** The secrets that pods mount or read, as `namespace/name`. */
function mounted(all: readonly Stored<Pod>[]): Set<string> {
  const used = new Set<string>();
  for (const { metadata, spec } of all) {
    const add = (name: string | undefined) => {
      if (name) used.add(`${metadata.namespace}/${name}`);
    };
    for (const reference of spec?.imagePullSecrets ?? []) add(reference.name);
    for (const volume of spec?.volumes ?? []) {
      add(volume.secret?.secretName);
      for (const source of volume.projected?.sources ?? []) add(source.secret?.name);
    }
    for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
      for (const from of container.envFrom ?? []) add(from.secretRef?.name);
      for (const variable of container.env ?? []) add(variable.valueFrom?.secretKeyRef?.name);
    }
  }
  return used;
}
