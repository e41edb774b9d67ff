/** Which objects of a kind a list or a watch is about. */
import {
  type FieldSelector,
  matchesFields,
  parseFieldSelector,
  requiredValue,
  unsupportedFields,
} from '../../machinery/fieldSelector.ts';
import { type Kind, storagePrefix } from '../../machinery/kind.ts';
import {
  matchesLabels,
  parseLabelSelector,
  type Selector,
  SelectorSyntaxError,
} from '../../machinery/labelSelector.ts';
import { badRequest } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';
import type { Entry } from '../registry/entry.ts';
import type { FieldValue } from '../registry/listeners.ts';

export interface Selection {
  readonly namespace: string | undefined;
  /** what the keys of all selected objects begin with; undefined for all of the kind */
  readonly prefix: string | undefined;
  /** Undefined where every object matches, so that nothing has to be parsed. */
  readonly matches: ((entry: Entry) => boolean) | undefined;
  /** Where only objects with one value of a field can match: that field. */
  readonly only?: FieldValue;
}

/** Reads labelSelector, fieldSelector and the path. @throws ApiError BadRequest */
export function selectionOf(ctx: RequestContext, kind: Kind): Selection {
  const labelText = ctx.query.get('labelSelector') ?? '';
  const fieldText = ctx.query.get('fieldSelector') ?? '';
  const { name } = ctx.info;
  let namespace = ctx.info.namespace;
  if (labelText === '' && fieldText === '' && name === '') {
    return { namespace, prefix: prefixOf(kind, namespace), matches: undefined };
  }
  let labels: Selector;
  let fields: FieldSelector;
  try {
    labels = parseLabelSelector(labelText);
    fields = parseFieldSelector(fieldText);
  } catch (error) {
    if (error instanceof SelectorSyntaxError) throw badRequest(error.message);
    throw error;
  }
  const [unknown] = unsupportedFields(fields, kind);
  if (unknown !== undefined) throw badRequest(`field label not supported: ${unknown}`);
  if (name !== '') fields = [...fields, { field: 'metadata.name', equal: true, value: name }];
  namespace ??= kind.namespaced ? requiredValue(fields, 'metadata.namespace') : undefined;
  const demanded = kind.hub === undefined ? fields.find((f) => f.equal) : undefined;
  return {
    namespace,
    prefix: prefixOf(kind, namespace),
    ...(demanded === undefined ? {} : { only: { field: demanded.field, value: demanded.value } }),
    matches: (entry) => {
      const { object } = entry.as(kind);
      return matchesLabels(labels, object.metadata.labels) && matchesFields(fields, kind, object);
    },
  };
}

function prefixOf(kind: Kind, namespace: string | undefined): string | undefined {
  return kind.namespaced && namespace !== undefined ? `${storagePrefix(kind)}${namespace}/` : undefined;
}
