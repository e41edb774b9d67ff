/**
 * Finds devices on a node for claims that have none: a search that goes back where a choice leads nowhere.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
import type { DeviceClass } from '../../apis/resource/deviceClass.ts';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceConstraint,
  DeviceRequestAllocationResult,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceClaim,
} from '../../apis/resource/resourceClaim.ts';
import type { Device, DeviceAttribute } from '../../apis/resource/resourceSlice.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';

/** A device that can be used from the node. */
export interface NodeDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: Device;
  /** it can be used from this node only */
  readonly local: boolean;
}

export interface AllocationWorld {
  readonly nodeName: string;
  readonly claims: readonly ResourceClaim[];
  readonly devices: readonly NodeDevice[];
  /** devices that somebody has, as `deviceKey` names them */
  readonly taken: ReadonlySet<string>;
  classNamed(name: string): DeviceClass | undefined;
  matches(expression: string, driver: string, device: Device): boolean;
}

type Ask = (ExactDeviceRequest | DeviceSubRequest) & { readonly adminAccess?: boolean };

interface Slot {
  readonly claim: number;
  /** `request`, or `request/alternative` */
  readonly request: string;
  readonly ask: Ask;
  readonly candidates: readonly NodeDevice[];
}

/** A search takes no more steps than this; what it has not found by then it does not find. */
const MAX_STEPS = 20_000;

export const deviceKey = (driver: string, pool: string, device: string) => `${driver}/${pool}/${device}`;
const keyOf = ({ driver, pool, device }: NodeDevice) => deviceKey(driver, pool, device.name);

/** An allocation for each claim, in their order; undefined where there are none to be had. */
export function allocate(world: AllocationWorld): AllocationResult[] | undefined {
  for (const slots of plansOf(world)) {
    const chosen = new Search(world, slots).run();
    if (chosen !== undefined) return world.claims.map((claim, i) => resultOf(world, claim, i, slots, chosen));
  }
  return undefined;
}

/** The ways to read all requests: alternatives in their order, the first that can be had wins. */
function* plansOf(world: AllocationWorld): Iterable<Slot[]> {
  const requests = world.claims.flatMap((claim, i) =>
    (claim.spec?.devices?.requests ?? []).map((request) => ({ claim: i, request })),
  );
  function* from(at: number): Iterable<Slot[]> {
    const next = requests[at];
    if (next === undefined) {
      yield [];
      return;
    }
    const { name, exactly, firstAvailable = [] } = next.request;
    const ways: { request: string; ask: Ask }[] =
      exactly !== undefined
        ? [{ request: name, ask: exactly }]
        : firstAvailable.map((ask) => ({ request: `${name}/${ask.name}`, ask }));
    for (const { request, ask } of ways) {
      const slots = slotsOf(world, next.claim, request, ask);
      if (slots === undefined) continue;
      for (const rest of from(at + 1)) yield [...slots, ...rest];
    }
  }
  yield* from(0);
}

/** One slot for each device that is asked for; undefined where there are not enough. */
function slotsOf(world: AllocationWorld, claim: number, request: string, ask: Ask): Slot[] | undefined {
  const deviceClass = world.classNamed(ask.deviceClassName);
  if (deviceClass === undefined) return undefined;
  const expressions = [...(deviceClass.spec?.selectors ?? []), ...(ask.selectors ?? [])];
  const fitting = world.devices.filter(
    ({ driver, device }) =>
      isTolerated(device, ask.tolerations) &&
      expressions.every(({ cel }) => cel === undefined || world.matches(cel.expression, driver, device)),
  );
  const isFree = (device: NodeDevice) => ask.adminAccess === true || !world.taken.has(keyOf(device));
  if (ask.allocationMode === 'All') {
    if (fitting.length === 0 || !fitting.every(isFree)) return undefined;
    return fitting.map((device) => ({ claim, request, ask, candidates: [device] }));
  }
  const candidates = fitting.filter(isFree);
  const count = ask.count ?? 1;
  if (candidates.length < count) return undefined;
  return Array.from({ length: count }, () => ({ claim, request, ask, candidates }));
}

function isTolerated({ taints = [] }: Device, tolerations: readonly DeviceToleration[] = []): boolean {
  return taints.every(
    (taint) =>
      (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') ||
      tolerations.some(
        ({ key, operator = 'Equal', value = '', effect }) =>
          (!key || key === taint.key) &&
          (!effect || effect === taint.effect) &&
          (operator === 'Exists' || value === (taint.value ?? '')),
      ),
  );
}

class Search {
  readonly #world: AllocationWorld;
  readonly #slots: readonly Slot[];
  readonly #chosen: NodeDevice[] = [];
  readonly #used = new Set<string>();
  #steps = 0;

  constructor(world: AllocationWorld, slots: readonly Slot[]) {
    this.#world = world;
    this.#slots = slots;
  }

  /** A device for each slot. */
  run(): readonly NodeDevice[] | undefined {
    return this.#from(0) ? this.#chosen : undefined;
  }

  #from(at: number): boolean {
    const slot = this.#slots[at];
    if (slot === undefined) return true;
    for (const device of slot.candidates) {
      if (++this.#steps > MAX_STEPS) return false;
      const key = keyOf(device);
      const shares = slot.ask.adminAccess === true;
      if (!shares && this.#used.has(key)) continue;
      this.#chosen.push(device);
      if (!shares) this.#used.add(key);
      if (this.#holds(slot.claim, at) && this.#from(at + 1)) return true;
      this.#chosen.pop();
      if (!shares) this.#used.delete(key);
    }
    return false;
  }

  /** Whether what the claim's devices must have in common, or not, is so for those that are chosen by now. */
  #holds(claim: number, last: number): boolean {
    const constraints = this.#world.claims[claim]?.spec?.devices?.constraints ?? [];
    return constraints.every((constraint) => {
      const values: (DeviceAttribute | undefined)[] = [];
      for (let i = 0; i <= last; i++) {
        const slot = this.#slots[i] as Slot;
        const device = this.#chosen[i] as NodeDevice;
        if (slot.claim === claim && isMeant(constraint, slot.request)) values.push(attributeOf(constraint, device));
      }
      const newest = values.at(-1);
      const others = values.slice(0, -1);
      if (values.length === 0) return true;
      if (newest === undefined) return false;
      const differs = constraint.distinctAttribute !== undefined;
      return others.every((other) => jsonEqual(other, newest) !== differs);
    });
  }
}

function isMeant({ requests = [] }: DeviceConstraint, request: string): boolean {
  return requests.length === 0 || requests.includes(request) || requests.includes(request.split('/')[0] ?? '');
}

function attributeOf(constraint: DeviceConstraint, { driver, device }: NodeDevice): DeviceAttribute | undefined {
  const name = constraint.matchAttribute ?? constraint.distinctAttribute ?? '';
  const own = name.startsWith(`${driver}/`) ? device.attributes?.[name.slice(driver.length + 1)] : undefined;
  return device.attributes?.[name] ?? own;
}

function resultOf(
  world: AllocationWorld,
  claim: ResourceClaim,
  index: number,
  slots: readonly Slot[],
  chosen: readonly NodeDevice[],
): AllocationResult {
  const results: DeviceRequestAllocationResult[] = [];
  const config: DeviceAllocationConfiguration[] = [];
  const told = new Set<string>();
  let local = false;
  for (const [i, slot] of slots.entries()) {
    if (slot.claim !== index) continue;
    const { driver, pool, device, local: isLocal } = chosen[i] as NodeDevice;
    local ||= isLocal;
    const { adminAccess, tolerations } = slot.ask;
    results.push({
      request: slot.request,
      driver,
      pool,
      device: device.name,
      ...(adminAccess === undefined ? {} : { adminAccess }),
      ...(tolerations === undefined ? {} : { tolerations }),
    });
    if (told.has(slot.request)) continue;
    told.add(slot.request);
    for (const { opaque } of world.classNamed(slot.ask.deviceClassName)?.spec?.config ?? []) {
      config.push({ source: 'FromClass', requests: [slot.request], ...(opaque === undefined ? {} : { opaque }) });
    }
  }
  for (const { requests, opaque } of claim.spec?.devices?.config ?? []) {
    const some = requests === undefined ? {} : { requests };
    config.push({ source: 'FromClaim', ...some, ...(opaque === undefined ? {} : { opaque }) });
  }
  const values = [world.nodeName];
  const nodeSelector = {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values }] }],
  };
  return {
    devices: { results, ...(config.length === 0 ? {} : { config }) },
    ...(local ? { nodeSelector } : {}),
  };
}
