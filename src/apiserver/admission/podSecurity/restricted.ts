/**
 * The restricted standard: pods say that they do without what most pods do not need.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
import type { Volume } from '../../../apis/core/volumes.ts';
import { type Check, forbiddenCapabilities } from './baseline.ts';
import { type AnyContainer, type Judged, named, quoted } from './pod.ts';

const VOLUMES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const CAPABILITIES: ReadonlySet<string> = new Set(['NET_BIND_SERVICE']);
/** From this version on, pods for Windows need not say what only Linux knows. */
const WINDOWS_SINCE = 25;

const namesOf = (containers: readonly AnyContainer[]) => containers.map(({ name }) => name);
const isForWindows = ({ spec }: Judged, minor: number) => minor >= WINDOWS_SINCE && spec.os?.name === 'windows';

const sourceOf = (volume: Volume) => Object.keys(volume).find((field) => field !== 'name') ?? '';

/** In the order of their names, in which they are told. */
export const RESTRICTED: readonly Check[] = [
  {
    name: 'allowPrivilegeEscalation',
    since: 8,
    find(pod, minor) {
      if (isForWindows(pod, minor)) return undefined;
      const found = pod.containers.filter((c) => c.securityContext?.allowPrivilegeEscalation !== false);
      if (found.length === 0) return undefined;
      const who = named('container', namesOf(found));
      return `allowPrivilegeEscalation != false (${who} must set securityContext.allowPrivilegeEscalation=false)`;
    },
  },
  {
    name: 'capabilities_restricted',
    instead: 'capabilities_baseline',
    since: 22,
    find(pod, minor) {
      if (isForWindows(pod, minor)) return undefined;
      const keeping = pod.containers.filter((c) => !c.securityContext?.capabilities?.drop?.includes('ALL'));
      const more = forbiddenCapabilities(pod, CAPABILITIES);
      const said = [
        ...(keeping.length === 0
          ? []
          : [`${named('container', namesOf(keeping))} must set securityContext.capabilities.drop=["ALL"]`]),
        ...(more === undefined ? [] : [more]),
      ];
      return said.length === 0 ? undefined : `unrestricted capabilities (${said.join('; ')})`;
    },
  },
  {
    name: 'restrictedVolumes',
    instead: 'hostPathVolumes',
    since: 0,
    find({ spec }) {
      const found = (spec.volumes ?? []).filter((volume) => !VOLUMES.has(sourceOf(volume)));
      if (found.length === 0) return undefined;
      const types = [...new Set(found.map(sourceOf))].sort();
      const names = found.map(({ name }) => name);
      const uses = `${names.length === 1 ? 'uses' : 'use'} restricted volume type${types.length === 1 ? '' : 's'}`;
      return `restricted volume types (${named('volume', names)} ${uses} ${quoted(types)})`;
    },
  },
  {
    name: 'runAsNonRoot',
    since: 0,
    find({ spec, containers }) {
      const shared = spec.securityContext?.runAsNonRoot;
      const refusing = containers.filter((c) => c.securityContext?.runAsNonRoot === false);
      const silent = containers.filter((c) => c.securityContext?.runAsNonRoot === undefined);
      // What the pod says counts for those that say nothing.
      const loose = shared === true ? [] : silent;
      const badPod = shared === false && silent.length > 0;
      const bad = [
        ...(badPod ? ['pod'] : []),
        ...(refusing.length === 0 ? [] : [named('container', namesOf(refusing))]),
      ];
      if (bad.length > 0) {
        return `runAsNonRoot != true (${bad.join(' and ')} must not set securityContext.runAsNonRoot=false)`;
      }
      if (loose.length === 0) return undefined;
      const who = named('container', namesOf(loose));
      return `runAsNonRoot != true (pod or ${who} must set securityContext.runAsNonRoot=true)`;
    },
  },
  {
    name: 'runAsUser',
    since: 23,
    find({ spec, containers }) {
      const root = containers.filter((c) => c.securityContext?.runAsUser === 0);
      const who = [
        ...(spec.securityContext?.runAsUser === 0 ? ['pod'] : []),
        ...(root.length === 0 ? [] : [named('container', namesOf(root))]),
      ];
      return who.length === 0 ? undefined : `runAsUser=0 (${who.join(' and ')} must not set runAsUser=0)`;
    },
  },
  {
    name: 'seccompProfile_restricted',
    instead: 'seccompProfile_baseline',
    since: 19,
    find(pod, minor) {
      if (isForWindows(pod, minor)) return undefined;
      const { spec, containers } = pod;
      const isGood = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';
      const shared = spec.securityContext?.seccompProfile?.type;
      const bad = containers.filter((c) => {
        const own = c.securityContext?.seccompProfile?.type;
        return own !== undefined && !isGood(own);
      });
      const silent = containers.filter((c) => c.securityContext?.seccompProfile?.type === undefined);
      const badPod = shared !== undefined && !isGood(shared) && silent.length > 0;
      if (badPod || bad.length > 0) {
        const who = [...(badPod ? ['pod'] : []), ...(bad.length === 0 ? [] : [named('container', namesOf(bad))])];
        const types = new Set([
          ...(badPod ? [shared] : []),
          ...bad.map((c) => c.securityContext?.seccompProfile?.type ?? ''),
        ]);
        return `seccompProfile (${who.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(types)})`;
      }
      if (shared !== undefined || silent.length === 0) return undefined;
      const said = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
      return `seccompProfile (pod or ${named('container', namesOf(silent))} ${said})`;
    },
  },
];
