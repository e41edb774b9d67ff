/** May they? */
import { apiError } from '../../machinery/status.ts';
import { type Attributes, authorizeAll } from '../authorization/authorizer.ts';
import type { RequestContext } from '../context.ts';
import type { ApiServerParts, Stage } from '../stage.ts';

export function authorize(parts: ApiServerParts): Stage {
  return (ctx) => {
    const attributes = attributesOf(ctx);
    const decision = authorizeAll(parts.authorizers, attributes);
    if (ctx.audit !== undefined) {
      ctx.audit.annotate('authorization.k8s.io/decision', decision.allowed ? 'allow' : 'forbid');
      ctx.audit.annotate('authorization.k8s.io/reason', decision.reason);
    }
    if (!decision.allowed) throw forbidden(attributes, decision.reason);
    return undefined;
  };
}

/** What a request asks for, as authorizers are told it. */
export function attributesOf(ctx: RequestContext): Attributes {
  const { info } = ctx;
  const fieldSelector = info.isResource ? ctx.query.get('fieldSelector') : null;
  return {
    user: ctx.user,
    verb: info.verb,
    isResource: info.isResource,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    // A namespace itself is authorized like something in it.
    namespace: info.namespace ?? (info.resource === 'namespaces' && info.group === '' ? info.name : ''),
    name: info.name === '' && fieldSelector !== null ? nameSelected(fieldSelector) : info.name,
    path: info.path,
    ...(fieldSelector === null ? {} : { fieldSelector }),
  };
}

/** A list or watch of the one object with a name is authorized like a request for that object. */
function nameSelected(fieldSelector: string): string {
  for (const term of fieldSelector.split(',')) {
    const name = /^metadata\.name==?([^=]+)$/.exec(term)?.[1];
    if (name !== undefined) return name;
  }
  return '';
}

/** The refusal, in the words that clients know. */
export function forbidden(a: Attributes, reason: string) {
  const user = `User ${JSON.stringify(a.user.name)}`;
  const why = reason === '' ? '' : `: ${reason}`;
  if (!a.isResource)
    return apiError('Forbidden', `forbidden: ${user} cannot ${a.verb} path ${JSON.stringify(a.path)}${why}`);
  const resource = a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`;
  const shown = a.group === '' ? a.resource : `${a.resource}.${a.group}`;
  const where = a.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(a.namespace)}`;
  const named = a.name === '' ? '' : ` ${JSON.stringify(a.name)}`;
  return apiError(
    'Forbidden',
    `${shown}${named} is forbidden: ${user} cannot ${a.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(a.group)} ${where}${why}`,
    { ...(a.name === '' ? {} : { name: a.name }), ...(a.group === '' ? {} : { group: a.group }), kind: a.resource },
  );
}
