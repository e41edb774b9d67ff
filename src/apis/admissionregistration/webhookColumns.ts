import type { Column, KubeObject } from '../../machinery/kind.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

interface WithWebhooks extends KubeObject {
  webhooks?: readonly unknown[];
}

/** Of both kinds of webhook configuration. */
export const WEBHOOK_COLUMNS: readonly Column<WithWebhooks>[] = [
  NAME_COLUMN,
  {
    name: 'Webhooks',
    type: 'integer',
    description: 'How many webhooks it names.',
    value: (configuration) => (configuration.webhooks ?? []).length,
  },
  AGE_COLUMN,
];
