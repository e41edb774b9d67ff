/** Admission of connections: exec, attach, port-forward and proxy, of which the options are the object. */
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import type { RequestContext } from '../context.ts';
import { isTrue } from '../stages/route.ts';
import { type AdmissionPlugin, type AdmissionRequest, admit } from './plugin.ts';

const FLAGS = ['stdin', 'stdout', 'stderr', 'tty'] as const;
/** What stands before `Options` in the kind of a subresource's options. */
const WORDS: Readonly<Record<string, string>> = {
  exec: 'Exec',
  attach: 'Attach',
  portforward: 'PortForward',
  proxy: 'Proxy',
};

/** Undefined, not a promise, where nobody has to wait, and for what is no connection. @throws ApiError to refuse */
export function admitConnection(
  plugins: readonly AdmissionPlugin[],
  ctx: RequestContext,
  kind: Kind,
): Promise<void> | undefined {
  const { info } = ctx;
  const word = WORDS[info.subresource];
  if (word === undefined || kind.group !== '') return undefined;
  const request: AdmissionRequest = {
    operation: 'CONNECT',
    kind,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    object: optionsOf(ctx, `${kind.kind}${word}Options`),
    oldObject: undefined,
    user: ctx.user,
    dryRun: false,
    ctx,
  };
  const mutating = admit(plugins, 'mutate', request);
  return mutating === undefined
    ? admit(plugins, 'validate', request)
    : mutating.then(() => admit(plugins, 'validate', request));
}

function optionsOf({ info, query }: RequestContext, kind: string): KubeObject {
  const head = { kind, apiVersion: 'v1' };
  if (info.subresource === 'proxy')
    return { ...head, ...(info.rest === '' ? {} : { path: `/${info.rest}` }) } as KubeObject;
  if (info.subresource === 'portforward') {
    const ports = query
      .getAll('ports')
      .flatMap((text) => text.split(',').map(Number))
      .filter(Number.isInteger);
    return { ...head, ...(ports.length === 0 ? {} : { ports }) } as KubeObject;
  }
  const flags = FLAGS.filter((flag) => isTrue(query.get(flag))).map((flag) => [flag, true]);
  const container = query.get('container');
  const command = info.subresource === 'exec' ? query.getAll('command') : [];
  return {
    ...head,
    ...Object.fromEntries(flags),
    ...(container ? { container } : {}),
    ...(command.length === 0 ? {} : { command }),
  } as KubeObject;
}
