/**
 * Audit: a record of who asked for what, and what came of it.
 * Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Attributes } from '../authorization/authorizer.ts';
import type { RequestContext } from '../context.ts';
import { type AuditLog, openAuditLog } from './log.ts';
import { AuditPolicyError, auditInstructions, type Instruction, parseAuditPolicy } from './policy.ts';
import { AuditTrail } from './trail.ts';

export interface AuditOptions {
  /** YAML or JSON, audit.k8s.io/v1 Policy */
  readonly policyFile: string;
  /** `-` for standard output */
  readonly logPath: string;
}

export class Audit {
  readonly #instruct: (attributes: Attributes) => Instruction;
  readonly #log: AuditLog;
  readonly #clock: Clock;
  readonly #random: Random;
  #events = 0;

  private constructor(instruct: (attributes: Attributes) => Instruction, log: AuditLog, clock: Clock, random: Random) {
    this.#instruct = instruct;
    this.#log = log;
    this.#clock = clock;
    this.#random = random;
  }

  /** @throws AuditPolicyError for files that cannot be read, followed or written to */
  static async open(
    { policyFile, logPath }: AuditOptions,
    { clock, random, log }: { clock: Clock; random: Random; log: Logger },
  ): Promise<Audit> {
    try {
      const policy = await parseAuditPolicy(await readFile(policyFile, 'utf8'));
      return new Audit(auditInstructions(policy), await openAuditLog(logPath, log), clock, random);
    } catch (error) {
      const about = error instanceof AuditPolicyError ? `the audit policy ${policyFile}: ` : 'audit: ';
      throw new AuditPolicyError(`${about}${(error as Error).message}`);
    }
  }

  /** events that were written */
  get events(): number {
    return this.#events;
  }

  /** Undefined where nothing is to be written down of the request. */
  begin(ctx: RequestContext, attributes: Attributes): AuditTrail | undefined {
    const instruction = this.#instruct(attributes);
    if (instruction.level === 'None') return undefined;
    return new AuditTrail(ctx, {
      instruction,
      attributes,
      now: () => this.#clock.now(),
      newId: () => this.#random.uuid(),
      write: (event) => {
        this.#events++;
        this.#log.write(event);
      },
    });
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
