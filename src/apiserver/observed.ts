/** Around the stages: each request is counted, timed and written down, however it ends. */
import { isApiError } from '../machinery/status.ts';
import type { Answer, WatchAnswer } from './answer.ts';
import type { RequestContext } from './context.ts';
import type { Series } from './metrics/requestMetrics.ts';
import type { Pipeline } from './pipeline.ts';
import type { ApiServerParts } from './stage.ts';
import { attributesOf } from './stages/authorize.ts';
import { statusOf } from './statusOf.ts';

/** A hot path. What is answered at once is still answered at once. */
export function observed(parts: ApiServerParts, pipeline: Pipeline): Pipeline {
  const { clock, metrics } = parts;
  return (ctx) => {
    const begun = clock.monotonic();
    let coming: Answer | Promise<Answer>;
    try {
      coming = pipeline(ctx);
    } catch (error) {
      failed(parts, ctx, begun, error);
      throw error;
    }
    const series = metrics.series(ctx);
    if (!(coming instanceof Promise)) return answered(parts, ctx, begun, coming, series);
    metrics.enter(series);
    return coming.then(
      (answer) => {
        metrics.leave(series);
        return answered(parts, ctx, begun, answer, series);
      },
      (error: unknown) => {
        metrics.leave(series);
        failed(parts, ctx, begun, error);
        throw error;
      },
    );
  };
}

function answered(parts: ApiServerParts, ctx: RequestContext, begun: number, answer: Answer, series: Series): Answer {
  switch (answer.type) {
    case 'watch':
      return observedWatch(parts, ctx, begun, answer, series);
    case 'taken': {
      series.running++;
      ctx.audit?.started(200);
      const done = answer.done.then(
        () => {
          series.running--;
          finished(parts, ctx, begun, series, 200);
        },
        (error: unknown) => {
          series.running--;
          failed(parts, ctx, begun, error);
          throw error;
        },
      );
      return { type: 'taken', done };
    }
    default: {
      const code = answer.type === 'list' ? 200 : answer.status;
      parts.metrics.observe(series, code, (parts.clock.monotonic() - begun) / 1000);
      ctx.audit?.completed(code, answer);
      return answer;
    }
  }
}

function finished(parts: ApiServerParts, ctx: RequestContext, begun: number, series: Series, code: number): void {
  parts.metrics.observe(series, code, (parts.clock.monotonic() - begun) / 1000);
  ctx.audit?.completed(code);
}

/** A watch counts as long as it is open; its events are counted one by one. */
function observedWatch(
  parts: ApiServerParts,
  ctx: RequestContext,
  begun: number,
  answer: WatchAnswer,
  series: Series,
): WatchAnswer {
  return {
    type: 'watch',
    kind: answer.kind,
    open(sink) {
      const counted = parts.metrics.ofKind(answer.kind);
      let open = true;
      series.running++;
      ctx.audit?.started(200);
      const end = () => {
        if (!open) return;
        open = false;
        series.running--;
        finished(parts, ctx, begun, series, 200);
      };
      const watch = answer.open({
        send(item) {
          counted.watchEvents++;
          return sink.send(item);
        },
        end(behind) {
          end();
          sink.end(behind);
        },
      });
      return {
        resume: () => watch.resume(),
        close() {
          end();
          watch.close();
        },
      };
    },
  };
}

function failed(parts: ApiServerParts, ctx: RequestContext, begun: number, error: unknown): void {
  const { metrics, audit } = parts;
  const code = isApiError(error) ? error.code : 500;
  metrics.observe(metrics.series(ctx), code, (parts.clock.monotonic() - begun) / 1000);
  if (audit === undefined) return;
  const quiet = { log: { error() {} } } as unknown as Pick<ApiServerParts, 'log'>;
  const status = statusOf(error, quiet, {});
  if (ctx.audit !== undefined) ctx.audit.failed(status);
  // Who is not known did not get as far as the stage that opens a trail.
  else if (code === 401) audit.begin(ctx, attributesOf(ctx))?.failed(status, 'ResponseStarted');
}
