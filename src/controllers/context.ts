/** What every controller is started with. */
import type { Client } from '../client/client.ts';
import type { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';

export interface ControllerContext {
  /** shared by all controllers */
  readonly informers: Informers;
  /** the client of one controller, e.g. `deployment-controller` */
  clientFor(controllerName: string): Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}
