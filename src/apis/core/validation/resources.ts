/**
 * What is wrong with the resources of a container or a pod.
 * Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
import { type FieldError, forbidden, invalid, notFound, required } from '../../../machinery/fieldError.ts';
import { qualifiedName } from '../../../machinery/names.ts';
import { compareQuantities, parseQuantity, plainMilli } from '../../../machinery/quantity.ts';
import type { ContainerResizePolicy, ResourceRequirements } from '../container.ts';
import { isPodLevelResource } from '../podLevelResources.ts';
import { containerResources } from '../podResources.ts';
import type { PodSpec } from '../podSpec.ts';
import { checkChoice } from './rules.ts';

const HUGE_PAGES = 'hugepages-';
const NANO_PER_UNIT = 1_000_000_000n;
const RESTART_ON_RESIZE = ['NotRequired', 'RestartContainer'];

/** @param claims the names of the pod's resourceClaims */
export function validateResources(
  resources: ResourceRequirements,
  claims: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const { limits, requests } = resources;
  let countable = false;
  let hugePages = false;
  for (const name in limits) {
    validateAmount(name, limits[name] as string, `${path}.limits[${name}]`, errors);
    hugePages ||= name.startsWith(HUGE_PAGES);
    countable ||= name === 'cpu' || name === 'memory';
  }
  for (const name in requests) {
    const request = requests[name] as string;
    validateAmount(name, request, `${path}.requests[${name}]`, errors);
    hugePages ||= name.startsWith(HUGE_PAGES);
    countable ||= name === 'cpu' || name === 'memory';
    validateAgainstLimit(name, request, limits?.[name], path, errors);
  }
  if (hugePages && !countable) errors.push(forbidden(path, 'HugePages require cpu or memory'));
  for (const [i, claim] of (resources.claims ?? []).entries()) {
    if (!claim.name) errors.push(required(`${path}.claims[${i}].name`));
    else if (!claims.has(claim.name)) errors.push(notFound(`${path}.claims[${i}].name`, claim.name));
  }
}

function validateAgainstLimit(
  name: string,
  request: string,
  limit: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (limit === undefined) {
    if (!mayOvercommit(name)) errors.push(required(`${path}.limits`, `a limit must be set for ${name}`));
    return;
  }
  // Both are in canonical form, so most that are equal are equal as text.
  if (request === limit || parseQuantity(request) === undefined || parseQuantity(limit) === undefined) return;
  const order = compareQuantities(request, limit);
  if (order > 0)
    errors.push(invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  else if (order < 0 && !mayOvercommit(name)) {
    errors.push(invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
  }
}

/** Whether less may be asked for than is allowed: not for what cannot be shared. */
function mayOvercommit(name: string): boolean {
  return !name.startsWith(HUGE_PAGES) && !isExtended(name);
}

/** Resources that some device plugin counts: `example.com/gpu`. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.startsWith('kubernetes.io/') && !name.includes('.kubernetes.io/');
}

/** A name that containers can ask for, and an amount that is not below nothing. */
function validateAmount(name: string, amount: string, path: string, errors: FieldError[]): void {
  const standard = name === 'cpu' || name === 'memory';
  if (!standard) {
    for (const fault of qualifiedName(name)) errors.push(invalid(path, name, fault));
    if (!name.includes('/') && name !== 'ephemeral-storage' && !name.startsWith(HUGE_PAGES)) {
      errors.push(invalid(path, name, 'must be a standard resource for containers'));
    }
  }
  if (name.startsWith(HUGE_PAGES)) validatePages(name, amount, path, errors);
  // A plain amount has no sign and is no fraction but of thousandths.
  const milli = plainMilli(amount);
  if (!Number.isNaN(milli) && (standard || milli % 1000 === 0)) return;
  const parsed = parseQuantity(amount);
  if (parsed === undefined) errors.push(invalid(path, amount, 'must be a quantity'));
  else if (parsed.nano < 0n) errors.push(invalid(path, amount, 'must be greater than or equal to 0'));
  else if (!standard && name !== 'ephemeral-storage' && parsed.nano % NANO_PER_UNIT !== 0n) {
    errors.push(invalid(path, amount, 'must be an integer'));
  }
}

/** Huge pages come whole. */
function validatePages(name: string, amount: string, path: string, errors: FieldError[]): void {
  const page = parseQuantity(name.slice(HUGE_PAGES.length));
  const parsed = parseQuantity(amount);
  if (page === undefined || parsed === undefined || page.nano <= 0n || parsed.nano % page.nano === 0n) return;
  errors.push(invalid(path, amount, `${amount} is not positive integer multiple of ${name}`));
}

/** Resources of the pod as a whole: no less than its containers ask for together. */
export function validatePodResources(
  spec: PodSpec,
  resources: ResourceRequirements,
  claims: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  validateResources(resources, claims, path, errors);
  for (const field of ['limits', 'requests'] as const) {
    for (const name in resources[field]) {
      if (!isPodLevelResource(name)) {
        errors.push(invalid(`${path}.${field}[${name}]`, name, 'is no resource that a pod as a whole can have'));
      }
    }
  }
  if (errors.length > 0 || resources.requests === undefined) return;
  const asked = containerResources(spec, 'requests');
  for (const name in resources.requests) {
    const own = resources.requests[name] as string;
    const sum = asked[name];
    if (sum !== undefined && compareQuantities(sum, own) > 0) {
      errors.push(
        invalid(
          `${path}.requests[${name}]`,
          own,
          `must be greater than or equal to aggregate container requests of ${sum}`,
        ),
      );
    }
  }
}

/** What happens to a container whose resources are changed. */
export function validateResizePolicy(
  policies: readonly ContainerResizePolicy[],
  restartPolicy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, policy] of policies.entries()) {
    const at = `${path}[${i}]`;
    if (seen.has(policy.resourceName)) {
      errors.push({ type: 'FieldValueDuplicate', field: at, value: policy.resourceName, detail: '' });
    }
    seen.add(policy.resourceName);
    checkChoice(policy.resourceName, ['cpu', 'memory'], `${at}.resourceName`, errors);
    checkChoice(policy.restartPolicy, RESTART_ON_RESIZE, `${at}.restartPolicy`, errors);
    if (restartPolicy === 'Never' && policy.restartPolicy === 'RestartContainer') {
      errors.push(
        invalid(`${at}.restartPolicy`, policy.restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'"),
      );
    }
  }
}
