/** The OpenAPI 3.0 document of a group version. */
import { describeBy, readDescriptions } from '../../apis/descriptions/descriptions.ts';
import { DeleteOptions } from '../../machinery/deleteOptions.ts';
import type { GroupVersion, Kind } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import { ListMeta } from '../../machinery/meta.ts';
import { OpenApiDefinitions, type OpenApiVersion } from '../../machinery/schema/openapi.ts';
import type { JsonObject } from '../../machinery/schema/types.ts';
import { StatusType } from '../../machinery/statusTypes.ts';
import { DELETE_OPTIONS, PATCH, pathsOf, STATUS } from './paths.ts';

/** @param extra kinds that are only sent to subresources, and have no path of their own */
export function openApiDocument(
  registry: KindRegistry,
  extra: readonly Kind[],
  gv: GroupVersion,
  version: string,
): object {
  const kinds = registry
    .all()
    .filter((k) => k.group === gv.group && k.version === gv.version && !k.plural.includes('/'));
  const definitions = describedDefinitions('v3');
  for (const kind of [...kinds, ...extra.filter((k) => kinds.some((kind) => refersTo(kind, k)))]) {
    definitions.addKind(kind);
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: pathsOf(registry, kinds, extra, gv),
    components: {
      schemas: commonDefinitions(definitions, [gv]),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description: 'Bearer token authentication',
        },
      },
    },
  };
}

/** Definitions in which types and fields are described. */
export function describedDefinitions(version: OpenApiVersion): OpenApiDefinitions {
  return new OpenApiDefinitions(version, describeBy(readDescriptions()));
}

/** All that was added, and what every document has besides. */
export function commonDefinitions(definitions: OpenApiDefinitions, gvs: readonly GroupVersion[]): JsonObject {
  definitions.add(DeleteOptions);
  definitions.add(ListMeta);
  definitions.add(StatusType);
  const all = definitions.all();
  const options = all[DELETE_OPTIONS] as JsonObject;
  options['x-kubernetes-group-version-kind'] = gvs.map((gv) => ({ ...gv, kind: 'DeleteOptions' }));
  const status = all[STATUS] as JsonObject;
  status['x-kubernetes-group-version-kind'] = [{ group: '', version: 'v1', kind: 'Status' }];
  all[PATCH] = { type: 'object', description: 'What is to change, in the form that the content type names.' };
  return all;
}

function refersTo(kind: Kind, other: Kind): boolean {
  if (kind.scale !== undefined && other.kind === 'Scale') return true;
  return Object.values(kind.subresources ?? {}).some(
    (s) => s.kind === other.kind && (s.group ?? kind.group) === other.group,
  );
}
