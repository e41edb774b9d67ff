import { expect, it } from 'vitest';
import { DEFAULT_CONFIGURATION } from '../config/configuration.ts';
import { allocatableOf } from './allocatable.ts';

const capacity = { cpu: '4', memory: '8000Mi', pods: '110', 'ephemeral-storage': '100Gi' };
const none = { systemReserved: {}, kubeReserved: {}, evictionHard: {} };

it.each([
  ['nothing reserved', none, capacity],
  [
    'the defaults keep some memory and a tenth of the disk free',
    DEFAULT_CONFIGURATION,
    { ...capacity, memory: '7900Mi', 'ephemeral-storage': '90Gi' },
  ],
  [
    'reserved for the system and for the kubelet',
    { ...none, systemReserved: { cpu: '500m', memory: '1Gi' }, kubeReserved: { cpu: '1' } },
    { ...capacity, cpu: '2500m', memory: '6976Mi' },
  ],
  ['more reserved than there is', { ...none, kubeReserved: { cpu: '8' } }, { ...capacity, cpu: '0' }],
] as const)('%s', (_what, told, expected) => {
  expect(allocatableOf(capacity, told)).toEqual(expected);
});
