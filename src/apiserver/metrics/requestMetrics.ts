/**
 * What is asked of the API server, how it is answered and how long that takes.
 * Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
 */

import { type Family, Histogram, type Labels, type Sample } from '../../lib/exposition.ts';
import type { Kind } from '../../machinery/kind.ts';
import type { RequestContext } from '../context.ts';

const DURATION_BOUNDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

const VERB: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  post: 'POST',
  update: 'PUT',
  put: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};
const APPLY = 'application/apply-patch';
/** Streams are named alike, however they are opened. */
const CONNECTS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);
/** Paths that are counted one by one; what else is asked for could be anything. */
const COUNTED_PATHS: ReadonlySet<string> = new Set([
  ...['/healthz', '/livez', '/readyz', '/version', '/metrics', '/api', '/apis', '/openapi/v2', '/openapi/v3'],
]);

/** All requests that are alike. */
export interface Series {
  readonly labels: Labels;
  readonly dryRun: string;
  readonly durations: Histogram;
  readonly codes: Map<number, number>;
  running: number;
  readonly mutating: boolean;
}

/** Of one resource, or one path. A custom resource that is defined anew goes on where it was. */
interface Counted {
  readonly deprecated: boolean;
  readonly labels: { readonly group: string; readonly version: string; readonly resource: string };
  readonly path: string;
  readonly series: Map<string, Series>;
  watchEvents: number;
}

export class RequestMetrics {
  readonly #byName = new Map<string, Counted>();
  readonly #byKind = new WeakMap<Kind, Counted>();
  readonly #inFlight = { mutating: 0, readOnly: 0 };

  /** A hot path: once for each request. */
  series(ctx: RequestContext): Series {
    const { info, kind } = ctx;
    const counted =
      kind === undefined ? this.#ofPath(COUNTED_PATHS.has(info.path) ? info.path : '') : this.ofKind(kind);
    const scope = scopeOf(ctx);
    const dryRun = ctx.query.get('dryRun') === 'All' ? 'All' : '';
    const verb = verbOf(ctx);
    const subresource = kind === undefined ? '' : subresourceOf(kind, info.subresource);
    const key = `${verb} ${scope} ${subresource}${dryRun}`;
    let series = counted.series.get(key);
    if (series === undefined) {
      series = newSeries(counted, { verb, scope, subresource, dryRun });
      counted.series.set(key, series);
    }
    return series;
  }

  ofKind(kind: Kind): Counted {
    let counted = this.#byKind.get(kind);
    if (counted === undefined) {
      const { group, version, plural: resource } = kind;
      counted = this.#named(`${group}/${version}/${resource}`, {
        deprecated: kind.deprecation !== undefined,
        labels: { group, version, resource },
        path: '',
      });
      this.#byKind.set(kind, counted);
    }
    return counted;
  }

  #ofPath(path: string): Counted {
    return (
      this.#byName.get(path) ??
      this.#named(path, { deprecated: false, labels: { group: '', version: '', resource: '' }, path })
    );
  }

  #named(name: string, of: Omit<Counted, 'series' | 'watchEvents'>): Counted {
    let counted = this.#byName.get(name);
    if (counted === undefined) {
      counted = { ...of, series: new Map(), watchEvents: 0 };
      this.#byName.set(name, counted);
    }
    return counted;
  }

  observe(series: Series, code: number, seconds: number): void {
    series.durations.observe(seconds);
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
  }

  /** A request that has to wait for something. */
  enter(series: Series): void {
    this.#inFlight[series.mutating ? 'mutating' : 'readOnly']++;
  }

  leave(series: Series): void {
    this.#inFlight[series.mutating ? 'mutating' : 'readOnly']--;
  }

  families(): Family[] {
    const counted = [...this.#byName.values()];
    const all = counted.flatMap(({ series }) => [...series.values()]);
    return [
      {
        name: 'apiserver_request_total',
        help: '[STABLE] Requests by what they asked for and the code of the answer.',
        type: 'counter',
        samples: all.flatMap(({ labels, dryRun, codes }) =>
          [...codes].map(
            ([code, value]): Sample => ({ labels: { ...labels, dry_run: dryRun, code: String(code) }, value }),
          ),
        ),
      },
      {
        name: 'apiserver_request_duration_seconds',
        help: '[STABLE] How long requests took.',
        type: 'histogram',
        samples: all
          .filter(({ codes }) => codes.size > 0)
          .map(({ labels, dryRun, durations }) => ({ labels: { ...labels, dry_run: dryRun }, value: durations })),
      },
      {
        name: 'apiserver_longrunning_requests',
        help: '[STABLE] Watches and streams that are open.',
        type: 'gauge',
        samples: all
          .filter(({ labels }) => labels.verb === 'WATCH' || labels.verb === 'CONNECT')
          .map(({ labels, running }) => ({ labels, value: running })),
      },
      {
        name: 'apiserver_current_inflight_requests',
        help: '[STABLE] Requests that wait for something.',
        type: 'gauge',
        samples: Object.entries(this.#inFlight).map(([kind, value]) => ({ labels: { request_kind: kind }, value })),
      },
      {
        name: 'apiserver_watch_events_total',
        help: '[BETA] Events that watchers were sent.',
        type: 'counter',
        samples: counted
          .filter(({ watchEvents }) => watchEvents > 0)
          .map(({ labels, watchEvents }) => ({ labels, value: watchEvents })),
      },
      {
        name: 'apiserver_requested_deprecated_apis',
        help: '[STABLE] Deprecated versions that were asked for.',
        type: 'gauge',
        samples: counted.filter(({ deprecated }) => deprecated).map(({ labels }) => ({ labels, value: 1 })),
      },
    ];
  }
}

function newSeries(
  { labels, path }: Counted,
  { verb, scope, subresource, dryRun }: Readonly<Record<'verb' | 'scope' | 'subresource' | 'dryRun', string>>,
): Series {
  return {
    labels: { verb, ...labels, subresource: path === '' ? subresource : path, scope, component: 'apiserver' },
    dryRun,
    durations: new Histogram(DURATION_BOUNDS),
    codes: new Map(),
    running: 0,
    mutating: verb !== 'GET' && verb !== 'LIST' && verb !== 'WATCH',
  };
}

function verbOf(ctx: RequestContext): string {
  const { verb, subresource } = ctx.info;
  if (verb === 'patch' && ctx.header('content-type')?.startsWith(APPLY) === true) return 'APPLY';
  if (subresource !== '' && CONNECTS.has(subresource)) return 'CONNECT';
  return VERB[verb] ?? 'other';
}

function scopeOf({ info }: RequestContext): string {
  if (!info.isResource) return '';
  if (info.name !== '' || info.verb === 'create') return 'resource';
  return info.namespace === undefined ? 'cluster' : 'namespace';
}

/** What a client made up is not counted by itself: there would be no end of it. */
function subresourceOf(kind: Kind, name: string): string {
  if (name === '' || name === 'status' || name === 'scale') return name;
  return kind.subresources !== undefined && Object.hasOwn(kind.subresources, name) ? name : '';
}
