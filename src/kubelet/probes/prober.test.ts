import { describe, expect, it } from 'vitest';
import type { Container, Probe } from '../../apis/core/container.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { SeededRandom } from '../../lib/random.ts';
import { container } from '../testing/observedPods.ts';
import { ContainerProbes, type EarlierVerdicts } from './prober.ts';

const START = Date.UTC(2026, 0, 1);

function setUp(
  spec: Partial<Container>,
  answers: Record<string, boolean>,
  earlier?: EarlierVerdicts,
  startedAt = START,
) {
  const clock = new VirtualClock(START);
  const main = container('main', spec);
  const nameOf = (probe: Probe) =>
    probe === main.livenessProbe ? 'liveness' : probe === main.readinessProbe ? 'readiness' : 'startup';
  const asked: string[] = [];
  const said: string[] = [];
  let changes = 0;
  const probes = new ContainerProbes(
    main,
    startedAt,
    async (probe) => {
      const name = nameOf(probe);
      asked.push(`${(clock.now() - START) / 1000} ${name}`);
      return { ok: answers[name] ?? true, message: 'no' };
    },
    {
      unhealthy: (type, message) => said.push(`${type} ${message}`),
      warned: (type, message) => said.push(`${type} warned ${message}`),
      changed: () => changes++,
    },
    clock,
    new SeededRandom(1),
    earlier,
  );
  return { clock, probes, asked, said, changes: () => changes };
}

describe('probes', () => {
  it('keep to their times and thresholds', async () => {
    const answers = { readiness: false };
    const readinessProbe = { initialDelaySeconds: 5, periodSeconds: 3, successThreshold: 2, failureThreshold: 2 };
    const { clock, probes, asked, said, changes } = setUp({ readinessProbe }, answers);
    expect(probes.ready).toBe(false);
    await clock.advance(4_999);
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(asked).toEqual(['5 readiness']);
    expect(said).toEqual(['readiness no']);
    answers.readiness = true;
    await clock.advance(3_000);
    expect(probes.ready).toBe(false);
    await clock.advance(3_000);
    expect(probes.ready).toBe(true);
    answers.readiness = false;
    await clock.advance(3_000);
    expect(probes.ready).toBe(true);
    await clock.advance(3_000);
    expect(probes.ready).toBe(false);
    expect(changes()).toBe(2);
    probes.stop();
    await clock.advance(60_000);
    expect(asked).toHaveLength(5);
  });

  it('say when a container must go, and then no more', async () => {
    const { clock, probes, asked } = setUp({ livenessProbe: { periodSeconds: 10 } }, { liveness: false });
    await clock.advance(19_999);
    expect(probes.failure).toBeUndefined();
    expect(probes.ready).toBe(true);
    await clock.advance(1);
    expect(probes.failure).toBe('liveness');
    await clock.advance(100_000);
    expect(asked).toHaveLength(3);
  });

  it('wait for the startup probe, which is not asked again', async () => {
    const answers = { startup: false };
    const { clock, probes, asked } = setUp(
      {
        startupProbe: { periodSeconds: 2, failureThreshold: 10 },
        livenessProbe: { periodSeconds: 10 },
        readinessProbe: {},
      },
      answers,
    );
    await clock.advance(4_000);
    expect(probes).toMatchObject({ started: false, ready: false });
    expect(asked).toEqual(['0 startup', '2 startup', '4 startup']);
    answers.startup = true;
    await clock.advance(3_000);
    expect(probes).toMatchObject({ started: true, ready: true, failure: undefined });
    await clock.advance(20_000);
    expect(asked.filter((a) => a.endsWith('startup'))).toHaveLength(4);
  });

  it('kill what does not start', async () => {
    const startupProbe = { periodSeconds: 1, failureThreshold: 3 };
    const { clock, probes } = setUp({ startupProbe, livenessProbe: {} }, { startup: false });
    await clock.advance(2_000);
    expect(probes.failure).toBe('startup');
  });

  it('believe what was known before the kubelet started', async () => {
    const answers = { readiness: false };
    const spec = { startupProbe: {}, readinessProbe: { periodSeconds: 1, failureThreshold: 3 } };
    const { clock, probes, asked } = setUp(spec, answers, { ready: true, started: true }, START - 3_600_000);
    expect(probes).toMatchObject({ ready: true, started: true });
    await clock.advance(5_000);
    expect(probes.ready).toBe(false);
    expect(asked.some((a) => a.endsWith('startup'))).toBe(false);
  });

  it('ask only for readiness once the pod ends', async () => {
    const { clock, probes, asked } = setUp({ livenessProbe: {}, readinessProbe: {} }, {});
    await clock.advance(0);
    probes.stopLiveness();
    asked.length = 0;
    await clock.advance(30_000);
    expect(new Set(asked.map((a) => a.split(' ')[1]))).toEqual(new Set(['readiness']));
  });
});
