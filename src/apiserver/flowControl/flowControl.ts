/**
 * API priority and fairness: each request belongs to a flow of a priority level, which has its share of the server's
 * seats; what is too much waits its turn, or is told to come again.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
import { type FlowSchema, type FlowSchemaSpec, flowSchemas } from '../../apis/flowcontrol/flowSchema.ts';
import {
  CATCH_ALL,
  EXEMPT,
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
} from '../../apis/flowcontrol/mandatory.ts';
import {
  type PriorityLevelConfiguration,
  type PriorityLevelConfigurationSpec,
  priorityLevelConfigurations,
} from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Stored } from '../../machinery/kind.ts';
import { type ApiError, apiError } from '../../machinery/status.ts';
import { Configured } from '../admission/configured.ts';
import type { RequestInfo } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import type { User } from '../user.ts';
import { schemaMatches } from './classify.ts';
import { Level, type SharedSeats } from './level.ts';

/** Requests that are served at once, of all levels together, unless they are exempt. */
const SERVER_SEATS = 600;
/** A request waits no longer than a quarter of the time that it has. */
const MAX_WAIT_MS = 15_000;
const RETRY_AFTER_SECONDS = 1;
/** Classifications that are remembered. */
const MAX_REMEMBERED = 4096;

/** Where a request belongs. */
export interface Classified {
  readonly level: Level;
  readonly schema: string;
  readonly distinguisher: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Schema {
  readonly name: string;
  readonly uid: string;
  readonly spec: FlowSchemaSpec;
  readonly level: Level;
}

const schemaOf = (schema: Stored<FlowSchema>) => ({
  name: schema.metadata.name,
  uid: schema.metadata.uid,
  spec: schema.spec,
});
const levelOf = (level: Stored<PriorityLevelConfiguration>) => ({
  name: level.metadata.name,
  uid: level.metadata.uid,
  spec: level.spec,
});

interface Named<S> {
  readonly name: string;
  readonly uid: string;
  readonly spec: S | undefined;
}

interface Known<S> extends Named<S> {
  readonly spec: S;
}

export class FlowControl {
  readonly #clock: Clock;
  readonly #schemaConfig: Configured<FlowSchema, Named<FlowSchemaSpec>>;
  readonly #levelConfig: Configured<PriorityLevelConfiguration, Named<PriorityLevelConfigurationSpec>>;
  /** what `#schemas` and `#levels` were made from */
  #from: readonly [unknown, unknown] = [undefined, undefined];
  readonly #levels = new Map<string, Level>();
  #schemas: readonly Schema[] = [];
  readonly #remembered = new Map<string, Classified>();
  readonly #shared: SharedSeats = { free: 0 };
  readonly #seats: number;

  constructor(registry: Registry, clock: Clock, seats = SERVER_SEATS) {
    this.#clock = clock;
    this.#seats = seats;
    this.#schemaConfig = new Configured(registry, flowSchemas, schemaOf);
    this.#levelConfig = new Configured(registry, priorityLevelConfigurations, levelOf);
  }

  async start(): Promise<void> {
    await Promise.all([this.#schemaConfig.start(), this.#levelConfig.start()]);
  }

  stop(): void {
    this.#schemaConfig.stop();
    this.#levelConfig.stop();
  }

  /** A hot path: once for every request. One lookup where a request like it came before. */
  classify(user: User, info: RequestInfo): Classified {
    this.#refresh();
    const key = `${user.name}\n${user.groups.join()}\n${info.verb}\n${info.group}/${info.resource}/${info.subresource}\n${info.namespace ?? ''}${info.isResource ? (info.resource === 'namespaces' ? `\n${info.name}` : '') : info.path}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const found = this.#find(user, info);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, found);
    return found;
  }

  #find(user: User, info: RequestInfo): Classified {
    // The last of them is for everybody.
    const schema =
      this.#schemas.find((s) => schemaMatches(s.spec.rules ?? [], user, info)) ?? (this.#schemas.at(-1) as Schema);
    const method = schema.spec.distinguisherMethod?.type;
    const distinguisher = method === 'ByUser' ? user.name : method === 'ByNamespace' ? (info.namespace ?? '') : '';
    return {
      level: schema.level,
      schema: schema.name,
      distinguisher,
      headers: {
        'X-Kubernetes-PF-FlowSchema-UID': schema.uid,
        'X-Kubernetes-PF-PriorityLevel-UID': schema.level.uid,
      },
    };
  }

  /**
   * Takes a seat. Undefined, not a promise, where there is one at once.
   * @throws ApiError TooManyRequests
   */
  enter({ level, schema, distinguisher }: Classified, signal: () => AbortSignal): Promise<void> | undefined {
    if (level.exempt || level.tryTake()) return undefined;
    return new Promise((resolve, reject) => {
      const aborted = signal();
      const settle = (then: () => void) => {
        timer.cancel();
        aborted.removeEventListener('abort', leave);
        then();
      };
      const leaveQueue = level.enqueue(`${schema}\n${distinguisher}`, { go: () => settle(resolve) });
      const leave = () => {
        leaveQueue?.();
        settle(() => reject(tooMany()));
      };
      const timer = this.#clock.after(MAX_WAIT_MS, leave);
      if (leaveQueue === undefined || aborted.aborted) leave();
      else aborted.addEventListener('abort', leave, { once: true });
    });
  }

  /** Gives a seat back; those that wait get it, the level first that has least of its own. */
  leave({ level }: Classified): void {
    if (level.exempt) return;
    level.release();
    this.#dispatch();
  }

  /** Seats that are free go to those that wait. Costs a look at each level where nobody does. */
  #dispatch(): void {
    for (;;) {
      const hungry: Level[] = [];
      for (const level of this.#levels.values()) if (level.waits) hungry.push(level);
      if (hungry.length > 1) hungry.sort((a, b) => a.load - b.load);
      if (!hungry.some((level) => level.dispatch())) return;
    }
  }

  /** Takes over what was configured since. Costs two comparisons where that is nothing. */
  #refresh(): void {
    const schemas = this.#schemaConfig.all;
    const levels = this.#levelConfig.all;
    if (this.#from[0] === schemas && this.#from[1] === levels) return;
    this.#from = [schemas, levels];
    this.#configureLevels(withMandatory(levels, MANDATORY_PRIORITY_LEVELS));
    this.#schemas = withMandatory(schemas, MANDATORY_FLOW_SCHEMAS)
      .flatMap(({ name, uid, spec }) => {
        // A schema without its level is not used.
        const level = this.#levels.get(spec.priorityLevelConfiguration.name);
        return level === undefined ? [] : [{ name, uid, spec, level }];
      })
      .sort((a, b) => precedence(a) - precedence(b) || (a.name < b.name ? -1 : 1));
    this.#remembered.clear();
    this.#dispatch();
  }

  #configureLevels(levels: readonly Known<PriorityLevelConfigurationSpec>[]): void {
    const shares = (spec: PriorityLevelConfigurationSpec) =>
      (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? 0;
    const sum = levels.reduce((total, { spec }) => total + shares(spec), 0);
    let sure = 0;
    const names = new Set<string>();
    for (const { name, uid, spec } of levels) {
      names.add(name);
      const nominal = sum === 0 ? 0 : Math.ceil((this.#seats * shares(spec)) / sum);
      const lendable = Math.round((nominal * ((spec.limited ?? spec.exempt)?.lendablePercent ?? 0)) / 100);
      const borrowing = spec.limited?.borrowingLimitPercent;
      const limits = {
        nominal,
        sure: nominal - lendable,
        most: borrowing === undefined ? Number.POSITIVE_INFINITY : nominal + Math.round((nominal * borrowing) / 100),
      };
      if (spec.type !== 'Exempt') sure += limits.sure;
      let level = this.#levels.get(name);
      if (level === undefined) {
        level = new Level(this.#shared);
        this.#levels.set(name, level);
      }
      level.configure(uid, spec, limits);
    }
    // Those that are gone end with their last request.
    for (const [name, level] of this.#levels) if (!names.has(name) && level.idle) this.#levels.delete(name);
    this.#shared.free += Math.max(0, this.#seats - sure) - this.#pool;
    this.#pool = Math.max(0, this.#seats - sure);
  }

  /** how many seats are shared */
  #pool = 0;
}

/** What must be there is there, whatever the store says. */
function withMandatory<S>(stored: readonly Named<S>[], mandatory: ReadonlyMap<string, S>): Known<S>[] {
  const all: Known<S>[] = [];
  for (const { name, uid, spec } of stored) if (spec !== undefined) all.push({ name, uid, spec });
  for (const [name, spec] of mandatory) if (!all.some((o) => o.name === name)) all.push({ name, uid: '', spec });
  return all;
}

function precedence({ name, spec }: Schema): number {
  if (name === EXEMPT) return Number.NEGATIVE_INFINITY;
  return name === CATCH_ALL ? Number.POSITIVE_INFINITY : (spec.matchingPrecedence ?? 0);
}

function tooMany(): ApiError {
  return apiError('TooManyRequests', 'Too many requests, please try again later.', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
