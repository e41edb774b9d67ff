/** What `kubectl get jobs` shows. */
import type { Column } from '../../machinery/kind.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { humanDuration, parseTime } from '../../machinery/time.ts';
import { WORKLOAD_COLUMNS } from '../apps/workloadColumns.ts';
import type { Job } from './job.ts';

export const JOB_COLUMNS: readonly Column<Job>[] = [
  NAME_COLUMN,
  { name: 'Status', type: 'string', description: 'How far it is.', value: statusText },
  {
    name: 'Completions',
    type: 'string',
    description: 'Pods that have succeeded, of those that must.',
    value: completionsText,
  },
  {
    name: 'Duration',
    type: 'string',
    description: 'How long it took, or has run so far.',
    value({ status }, now) {
      const started = parseTime(status?.startTime);
      return started === undefined ? '' : humanDuration((parseTime(status?.completionTime) ?? now) - started);
    },
  },
  AGE_COLUMN,
  ...WORKLOAD_COLUMNS,
];

/** The first that holds is shown. */
const STATES = ['Complete', 'Failed', 'Terminating', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'];

function statusText(job: Job): string {
  const conditions = (job.status?.conditions ?? []).filter((condition) => condition.status === 'True');
  const states = new Set(conditions.map((condition) => condition.type));
  states.delete('Terminating');
  if (job.metadata?.deletionTimestamp !== undefined) states.add('Terminating');
  return STATES.find((state) => states.has(state)) ?? 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}
