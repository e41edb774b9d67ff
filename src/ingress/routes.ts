/**
 * From ingresses to the service that a request goes to. Pure.
 * Source: https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types
 */
import type { Ingress, IngressBackend } from '../apis/networking/ingress.ts';

/** A port of a service, by its number or its name. */
export interface ServiceTarget {
  readonly namespace: string;
  readonly service: string;
  readonly port: number | string;
}

interface Path {
  /** without a slash at the end */
  readonly path: string;
  readonly exact: boolean;
  readonly target: ServiceTarget;
}

export class Routes {
  /** by host; `*.example.com` for all names with one more label, '' for all hosts */
  readonly #hosts = new Map<string, Path[]>();
  #fallback: ServiceTarget | undefined;

  /** @param ingresses the older ones win where two want the same */
  constructor(ingresses: readonly Ingress[]) {
    for (const ingress of [...ingresses].sort(byAge)) this.#add(ingress);
    // The longest path that fits wins, and of equal ones the exact one. Sorting is stable: the older ingress stays first.
    for (const paths of this.#hosts.values()) {
      paths.sort((a, b) => b.path.length - a.path.length || Number(b.exact) - Number(a.exact));
    }
  }

  #add({ metadata, spec }: Ingress): void {
    const namespace = metadata?.namespace ?? '';
    const own = targetOf(spec?.defaultBackend, namespace);
    if ((spec?.rules ?? []).length === 0) this.#fallback ??= own;
    for (const { host = '', http } of spec?.rules ?? []) {
      const paths = this.#hosts.get(host.toLowerCase()) ?? [];
      this.#hosts.set(host.toLowerCase(), paths);
      for (const { path = '/', pathType, backend } of http?.paths ?? []) {
        const target = targetOf(backend, namespace);
        if (target !== undefined) paths.push({ path: trimmed(path), exact: pathType === 'Exact', target });
      }
      // What no path of its rules takes goes to an ingress's own default.
      if (own !== undefined) paths.push({ path: '', exact: false, target: own });
    }
  }

  /** @param host of the request, with or without a port */
  find(host: string, url: string): ServiceTarget | undefined {
    const name = host.replace(/:\d+$/, '').toLowerCase();
    const path = url.split(/[?#]/, 1)[0] ?? '/';
    const wildcard = `*${name.slice(Math.max(0, name.indexOf('.')))}`;
    for (const candidate of [name, wildcard, '']) {
      const found = this.#hosts.get(candidate)?.find((p) => matches(p, path));
      if (found !== undefined) return found.target;
    }
    return this.#fallback;
  }
}

function matches({ path, exact }: Path, asked: string): boolean {
  if (exact) return asked === path || (path === '' && asked === '/');
  return path === '' || asked === path || asked.startsWith(`${path}/`);
}

/** Prefixes are compared part by part, so a slash at the end says nothing. */
const trimmed = (path: string) => path.replace(/\/+$/, '');

function targetOf(backend: IngressBackend | undefined, namespace: string): ServiceTarget | undefined {
  const service = backend?.service;
  const port = service?.port?.number ?? service?.port?.name;
  return service === undefined || port === undefined ? undefined : { namespace, service: service.name, port };
}

function byAge(a: Ingress, b: Ingress): number {
  const [x, y] = [a, b].map(
    ({ metadata }) => `${metadata?.creationTimestamp} ${metadata?.namespace}/${metadata?.name}`,
  );
  return (x ?? '') < (y ?? '') ? -1 : 1;
}
