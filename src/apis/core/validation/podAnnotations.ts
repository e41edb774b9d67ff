/** What is wrong with the annotations that mean something on a pod. */
import { type FieldError, forbidden, invalid } from '../../../machinery/fieldError.ts';
import type { Pod } from '../pod.ts';
import type { PodSpec } from '../podSpec.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const COST = /^(?:0|[1-9-]\d*)$/;
const LEAST_COST = -(2 ** 31);
const MOST_COST = 2 ** 31 - 1;

type Annotations = Readonly<Record<string, string>>;

/** @param before of the pod that is updated: a cost that was wrong already may stay */
export function validatePodAnnotations(pod: Pod, errors: FieldError[], before?: Annotations): void {
  const annotations = pod.metadata?.annotations;
  if (annotations === undefined) return;
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && cost !== before?.[DELETION_COST] && !isCost(cost)) {
    errors.push(invalid(at(DELETION_COST), cost, 'must be a 32bit integer'));
  }
  if (annotations[MIRROR] !== undefined && !pod.spec?.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalid(at(MIRROR), annotations[MIRROR], detail));
  }
  for (const key in annotations) {
    if (key.startsWith(APP_ARMOR)) validateAppArmor(key, annotations[key] ?? '', pod.spec, errors);
  }
}

/** What says where a pod came from, and how it is confined, stays as it was. */
export function validatePodAnnotationsUpdate(pod: Pod, old: Pod, errors: FieldError[]): void {
  const now = pod.metadata?.annotations ?? {};
  const before = old.metadata?.annotations ?? {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const what = key === MIRROR ? 'mirror pod annotation' : key.startsWith(APP_ARMOR) ? 'AppArmor annotations' : '';
    if (what === '' || now[key] === before[key]) continue;
    const verb = before[key] === undefined ? 'add' : 'remove or update';
    errors.push(forbidden(at(key), `may not ${verb} ${what}`));
  }
  validatePodAnnotations(pod, errors, before);
}

const at = (key: string) => `metadata.annotations[${key}]`;

function isCost(text: string): boolean {
  const cost = Number(text);
  return COST.test(text) && Number.isInteger(cost) && cost >= LEAST_COST && cost <= MOST_COST;
}

function validateAppArmor(key: string, profile: string, spec: PodSpec | undefined, errors: FieldError[]): void {
  const name = key.slice(APP_ARMOR.length);
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  if (![...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === name)) {
    errors.push(invalid(at(key), name, 'container not found'));
  }
  if (
    profile !== '' &&
    profile !== 'runtime/default' &&
    profile !== 'unconfined' &&
    !profile.startsWith('localhost/')
  ) {
    errors.push(invalid(at(key), profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
  }
}
