/**
 * /openapi/v3: an index of documents with their hashes, and a document for each group version; /openapi/v2: one
 * document. Built when first asked for, then kept as bytes.
 */
import { createHash } from 'node:crypto';
import { subresourceKinds } from '../../apis/registry.ts';
import type { GroupVersion } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { type RawAnswer, rawJson } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import type { Handler } from '../stage.ts';
import { GIT_VERSION } from '../version.ts';
import { openApiDocument } from './document.ts';
import { openApiVersion2 } from './version2.ts';

const ROOT = '/openapi/v3';

interface Document {
  readonly body: Buffer;
  readonly hash: string;
}

export function openApiPaths(registry: Registry): [string, Handler][] {
  const documents = new Map<string, Document>();
  const kept = (name: string, make: () => object): Document => {
    let document = documents.get(name);
    if (document === undefined) {
      const body = Buffer.from(JSON.stringify(make()));
      document = { body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
      documents.set(name, document);
    }
    return document;
  };
  const documentOf = (name: string, gv: GroupVersion) =>
    kept(name, () => openApiDocument(registry.kinds, subresourceKinds, gv, GIT_VERSION));
  const names = () => new Map(registry.kinds.groupVersions().map((gv) => [nameOf(gv), gv]));
  return [
    [
      '/openapi/v2',
      (ctx) =>
        answer(
          ctx,
          kept('v2', () => openApiVersion2(registry.kinds, subresourceKinds, GIT_VERSION)),
        ),
    ],
    [
      ROOT,
      () => {
        const paths = [...names()].map(([name, gv]) => {
          return [name, { serverRelativeURL: `${ROOT}/${name}?hash=${documentOf(name, gv).hash}` }] as const;
        });
        return rawJson({ paths: Object.fromEntries(paths) });
      },
    ],
    [
      `${ROOT}/*`,
      (ctx) => {
        const name = ctx.info.path.slice(ROOT.length + 1).replace(/\/$/, '');
        const gv = names().get(name);
        if (gv === undefined) throw apiError('NotFound', 'the server could not find the requested resource');
        return answer(ctx, documentOf(name, gv));
      },
    ],
  ];
}

const nameOf = (gv: GroupVersion) => (gv.group === '' ? `api/${gv.version}` : `apis/${gv.group}/${gv.version}`);

/** With its hash in the URL a document never changes. */
function answer(ctx: RequestContext, { body, hash }: Document): RawAnswer {
  const asked = ctx.query.get('hash') ?? '';
  if (asked !== '' && asked !== hash) {
    const location = `${ctx.info.path}?hash=${hash}`;
    return {
      type: 'raw',
      status: 301,
      contentType: 'text/plain',
      body: Buffer.alloc(0),
      headers: { Location: location },
    };
  }
  const accept = ctx.header('accept') ?? '*/*';
  if (!/\*\/\*|application\/(\*|json)/.test(accept)) {
    throw apiError('NotAcceptable', 'only the following media types are accepted: application/json');
  }
  const etag = `"${hash}"`;
  const cache = asked === '' ? 'no-cache, private' : 'public, immutable';
  const headers = { Etag: etag, Vary: 'Accept', 'Cache-Control': cache };
  if ((ctx.header('if-none-match') ?? '').includes(etag)) {
    return { type: 'raw', status: 304, contentType: 'application/json', body: Buffer.alloc(0), headers };
  }
  return { type: 'raw', status: 200, contentType: 'application/json', body, headers };
}
