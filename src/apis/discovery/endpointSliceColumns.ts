/** How an endpoint slice looks in `kubectl get endpointslices`. */
import type { Column } from '../../machinery/kind.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import type { EndpointSlice } from './endpointSlice.ts';

/** As many ports or addresses as a line shows. */
const SHOWN = 3;

export const ENDPOINT_SLICE_COLUMNS: readonly Column<EndpointSlice>[] = [
  NAME_COLUMN,
  {
    name: 'AddressType',
    type: 'string',
    description: 'What sort of addresses it holds.',
    value: (slice) => slice.addressType ?? '',
  },
  {
    name: 'Ports',
    type: 'string',
    description: 'The ports of each of its endpoints.',
    value: (slice) => shorten((slice.ports ?? []).map((port) => (port.port === undefined ? '*' : String(port.port)))),
  },
  {
    name: 'Endpoints',
    type: 'string',
    description: 'The addresses that it holds.',
    value: (slice) => shorten((slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? [])),
  },
  AGE_COLUMN,
];

function shorten(all: readonly string[]): string {
  if (all.length === 0) return '<unset>';
  const shown = all.slice(0, SHOWN).join(',');
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}
