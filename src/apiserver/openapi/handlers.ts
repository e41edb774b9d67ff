/**
 * /openapi/v3: an index of documents with their hashes, and a document for each group version; /openapi/v2: one
 * document. Built when first asked for, then kept as bytes.
 */
import { createHash } from 'node:crypto';
import { subresourceKinds } from '../../apis/registry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { GroupVersion } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { type RawAnswer, rawJson } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import type { Handler } from '../stage.ts';
import { GIT_VERSION } from '../version.ts';
import { openApiDocument } from './document.ts';
import { openApiVersion2 } from './version2.ts';
import { encodeOpenApiVersion2 } from './version2Protobuf.ts';

const ROOT = '/openapi/v3';
const YEAR_MS = 365 * 86_400_000;

interface Document {
  readonly contentType: string;
  readonly body: Buffer;
  readonly hash: string;
}

const JSON_TYPE = 'application/json';
/** Asked for as `…v2@v1.0`, too, which is no media type as the standard has them. */
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const PROTOBUF = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/;

const toJson = (document: object) => Buffer.from(JSON.stringify(document));

export function openApiPaths(registry: Registry, clock: Clock): [string, Handler][] {
  const documents = new Map<string, Document>();
  let madeOf = registry.kinds.revision;
  const kept = (name: string, make: () => Buffer, contentType = JSON_TYPE): Document => {
    // Kinds have come or gone: every document may be another.
    if (madeOf !== registry.kinds.revision) {
      documents.clear();
      madeOf = registry.kinds.revision;
    }
    let document = documents.get(name);
    if (document === undefined) {
      const body = make();
      document = { contentType, body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
      documents.set(name, document);
    }
    return document;
  };
  const documentOf = (name: string, gv: GroupVersion) =>
    kept(name, () => toJson(openApiDocument(registry.kinds, subresourceKinds, gv, GIT_VERSION)));
  const version2 = () => openApiVersion2(registry.kinds, subresourceKinds, GIT_VERSION);
  const names = () => new Map(registry.kinds.groupVersions().map((gv) => [nameOf(gv), gv]));
  return [
    [
      '/openapi/v2',
      (ctx) =>
        PROTOBUF.test(ctx.header('accept') ?? '')
          ? answer(
              ctx,
              clock.now(),
              kept('v2 protobuf', () => encodeOpenApiVersion2(version2()), PROTOBUF_TYPE),
            )
          : answer(
              ctx,
              clock.now(),
              kept('v2', () => toJson(version2())),
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
        return answer(ctx, clock.now(), documentOf(name, gv));
      },
    ],
  ];
}

const nameOf = (gv: GroupVersion) => (gv.group === '' ? `api/${gv.version}` : `apis/${gv.group}/${gv.version}`);

/** With its hash in the URL a document never changes. */
function answer(ctx: RequestContext, now: number, { contentType, body, hash }: Document): RawAnswer {
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
  if (contentType === JSON_TYPE && !/\*\/\*|application\/(\*|json)/.test(accept)) {
    throw apiError('NotAcceptable', 'only the following media types are accepted: application/json');
  }
  const etag = `"${hash}"`;
  const cache = asked === '' ? 'no-cache, private' : 'public, immutable';
  const headers = {
    Etag: etag,
    Vary: 'Accept',
    'Cache-Control': cache,
    ...(asked === '' ? {} : { Expires: new Date(now + YEAR_MS).toUTCString() }),
  };
  if ((ctx.header('if-none-match') ?? '').includes(etag)) {
    return { type: 'raw', status: 304, contentType, body: Buffer.alloc(0), headers };
  }
  return { type: 'raw', status: 200, contentType, body, headers };
}
