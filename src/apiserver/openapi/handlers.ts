/**
 * /openapi/v3: an index of documents with their hashes, and a document for each group version; /openapi/v2: one
 * document. Built when first asked for, then kept as bytes.
 */
import { createHash } from 'node:crypto';
import { subresourceKinds } from '../../apis/registry.ts';
import type { Clock } from '../../lib/clock.ts';
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import type { GroupVersion } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import type { Aggregation } from '../aggregation/aggregation.ts';
import { mergedVersion2, type Others, RemoteOpenApi } from '../aggregation/remoteOpenApi.ts';
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

const NOBODY: Others = new Map();

const toJson = (document: object) => Buffer.from(stringifyExactJson(document));

export function openApiPaths(registry: Registry, aggregation: Aggregation, clock: Clock): [string, Handler][] {
  const documents = new Map<string, Document>();
  const remote = new RemoteOpenApi(aggregation, clock);
  let madeOf = '';
  const kept = (others: Others, name: string, make: () => Buffer, contentType = JSON_TYPE): Document => {
    // Kinds or servers have come or gone: every document may be another.
    const basis = `${registry.kinds.revision} ${[...others].map(([api, { hash }]) => `${api.name} ${hash}`).join(' ')}`;
    if (madeOf !== basis) {
      documents.clear();
      madeOf = basis;
    }
    let document = documents.get(name);
    if (document === undefined) {
      const body = make();
      document = { contentType, body, hash: createHash('sha512').update(body).digest('hex').toUpperCase() };
      documents.set(name, document);
    }
    return document;
  };
  const own = () => openApiVersion2(registry.kinds, subresourceKinds, GIT_VERSION);
  const version2 = (others: Others) => {
    const parts = [...others.values()].flatMap(({ version2 }) => version2 ?? []);
    return parts.length === 0 ? own() : mergedVersion2(own(), parts);
  };
  const version2InProtobuf = (others: Others) => {
    try {
      return encodeOpenApiVersion2(version2(others));
    } catch {
      // Another server tells of something that this form lacks.
      return encodeOpenApiVersion2(own());
    }
  };
  /** What each group version's document is made of. */
  const makers = (others: Others) => {
    const found = new Map<string, () => Buffer>();
    for (const gv of registry.kinds.groupVersions()) {
      found.set(nameOf(gv), () => toJson(openApiDocument(registry.kinds, subresourceKinds, gv, GIT_VERSION)));
    }
    for (const [api, { version3 }] of others) {
      if (version3 === undefined) found.delete(nameOf(api.groupVersion));
      else found.set(nameOf(api.groupVersion), () => version3);
    }
    return found;
  };
  const withOthers =
    (handler: (ctx: RequestContext, others: Others) => RawAnswer): Handler =>
    (ctx) => {
      const coming = remote.all();
      return coming === undefined ? handler(ctx, NOBODY) : coming.then((others) => handler(ctx, others));
    };
  return [
    [
      '/openapi/v2',
      withOthers((ctx, others) => {
        const document = PROTOBUF.test(ctx.header('accept') ?? '')
          ? kept(others, 'v2 protobuf', () => version2InProtobuf(others), PROTOBUF_TYPE)
          : kept(others, 'v2', () => toJson(version2(others)));
        return answer(ctx, clock.now(), document);
      }),
    ],
    [
      ROOT,
      withOthers((_ctx, others) => {
        const paths = [...makers(others)].map(([name, make]) => {
          return [name, { serverRelativeURL: `${ROOT}/${name}?hash=${kept(others, name, make).hash}` }] as const;
        });
        return rawJson({ paths: Object.fromEntries(paths) });
      }),
    ],
    [
      `${ROOT}/*`,
      withOthers((ctx, others) => {
        const name = ctx.info.path.slice(ROOT.length + 1).replace(/\/$/, '');
        const make = makers(others).get(name);
        if (make === undefined) throw apiError('NotFound', 'the server could not find the requested resource');
        return answer(ctx, clock.now(), kept(others, name, make));
      }),
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
