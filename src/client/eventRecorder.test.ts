import { describe, expect, it } from 'vitest';
import type { Event } from '../apis/core/event.ts';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import { apiError } from '../machinery/status.ts';
import { createEventRecorder, referenceTo } from './eventRecorder.ts';
import { FakeTransport, stored } from './testing/fakeClient.ts';
import { type ApiRequest, TransportError } from './transport.ts';

function setUp() {
  const transport = new FakeTransport();
  const events = new Map<string, Event>();
  const path = (request: ApiRequest) => decodeURIComponent(request.path.split('/').at(-1) ?? '');
  transport.answer = (request) => {
    if (request.method === 'POST') {
      const event = request.body as Event;
      events.set(event.metadata.name ?? '', event);
      return stored(event, 1);
    }
    const known = events.get(path(request));
    if (known === undefined) throw apiError('NotFound', 'gone');
    const changed = { ...known, ...(request.body as object) };
    events.set(path(request), changed);
    return stored(changed, 2);
  };
  const clock = new VirtualClock();
  const stop = new AbortController();
  const recorder = createEventRecorder({
    client: transport.client,
    component: 'tester',
    clock,
    random: new SeededRandom(1),
    log: silentLogger,
    signal: stop.signal,
  });
  return { transport, events, clock, recorder, stop };
}

const regarding = referenceTo({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' },
});

describe('an event recorder', () => {
  it('writes an event beside the object that it is about', async () => {
    const { events, clock, recorder } = setUp();
    recorder.event(regarding, 'Warning', 'Failed', 'it failed');
    await clock.advance(0);
    expect([...events.values()]).toMatchObject([
      {
        metadata: { namespace: 'shop' },
        involvedObject: { kind: 'Pod', name: 'web', uid: 'u1' },
        type: 'Warning',
        reason: 'Failed',
        message: 'it failed',
        source: { component: 'tester' },
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  it('counts the same event up, and writes it anew when it has expired', async () => {
    const { events, clock, recorder } = setUp();
    for (let i = 0; i < 3; i++) {
      recorder.event(regarding, 'Normal', 'Pulled', 'image pulled');
      await clock.advance(1000);
    }
    expect([...events.values()]).toMatchObject([{ count: 3, lastTimestamp: '2026-01-01T00:00:02Z' }]);
    events.clear();
    recorder.event(regarding, 'Normal', 'Pulled', 'image pulled');
    await clock.advance(0);
    expect([...events.values()]).toMatchObject([{ count: 1 }]);
  });

  it('joins events that differ in nothing but their message', async () => {
    const { events, clock, recorder } = setUp();
    for (let i = 0; i < 15; i++) recorder.event(regarding, 'Normal', 'Tick', `tick ${i}`);
    await clock.advance(0);
    const all = [...events.values()];
    expect(all).toHaveLength(10);
    expect(all.at(-1)).toMatchObject({ message: '(combined from similar events): tick 14', count: 6 });
  });

  it('drops what one object has too much to say, until time has passed', async () => {
    const { events, clock, recorder } = setUp();
    const total = () => [...events.values()].reduce((sum, e) => sum + (e.count ?? 0), 0);
    for (let i = 0; i < 100; i++) recorder.event(regarding, 'Normal', 'Again', 'and again');
    await clock.advance(0);
    expect(total()).toBe(25);
    await clock.advance(5 * 60_000);
    recorder.event(regarding, 'Normal', 'Again', 'and again');
    await clock.advance(0);
    expect(total()).toBe(26);
  });

  it('tries again while the server cannot be reached, and gives up on a refusal', async () => {
    const { transport, events, clock, recorder } = setUp();
    const { answer } = transport;
    transport.answer = () => {
      throw new TransportError('refused');
    };
    recorder.event(regarding, 'Normal', 'One', 'one');
    await clock.advance(6_000);
    transport.answer = answer;
    await clock.advance(6_000);
    expect(events.size).toBe(1);
    transport.answer = () => {
      throw apiError('Forbidden', 'no');
    };
    const before = transport.requests.length;
    recorder.event(regarding, 'Normal', 'Two', 'two');
    await clock.advance(60_000);
    expect(transport.requests).toHaveLength(before + 1);
  });

  it('keeps no more than a bounded number waiting, and none once stopped', async () => {
    const { transport, clock, recorder, stop } = setUp();
    transport.answer = () => new Promise(() => {});
    for (let i = 0; i < 5000; i++) recorder.event({ ...regarding, uid: `u${i}` }, 'Normal', 'Flood', 'x');
    await clock.advance(0);
    expect(transport.requests.length).toBe(1);
    stop.abort(new Error('over'));
    recorder.event(regarding, 'Normal', 'Late', 'x');
    await clock.advance(100_000);
    expect(transport.requests.length).toBe(1);
  });
});
