/**
 * What the audit log tells of one request: a line when it came, one when it was answered, and for watches and streams
 * one when they began.
 * Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
 */

import { apiVersionOf, type KubeObject } from '../../machinery/kind.ts';
import type { Status } from '../../machinery/status.ts';
import { formatMicroTime } from '../../machinery/time.ts';
import type { Answer } from '../answer.ts';
import { infoOf } from '../authentication/userInfo.ts';
import type { Attributes } from '../authorization/authorizer.ts';
import type { RequestContext } from '../context.ts';
import { listMeta } from '../encoding/listBody.ts';
import type { User } from '../user.ts';
import type { AuditStage, Instruction } from './policy.ts';
import { LEVELS } from './policy.ts';
import { requestObjectOf } from './requestObject.ts';

const MAX_USER_AGENT = 1024;
const MAX_ID = 64;

export interface TrailParts {
  readonly instruction: Instruction;
  readonly attributes: Attributes;
  /** in ms since the epoch */
  now(): number;
  newId(): string;
  write(event: object): void;
}

interface Event {
  readonly [field: string]: unknown;
}

export class AuditTrail {
  readonly id: string;
  readonly #parts: TrailParts;
  readonly #received: number;
  readonly #fixed: Event;
  readonly #objectRef: Record<string, string> | undefined;
  readonly #annotations: Record<string, string> = {};
  #impersonated: User | undefined;
  #constraint: string | undefined;
  #requestObject: unknown;

  constructor(ctx: RequestContext, parts: TrailParts) {
    const { attributes } = parts;
    this.#parts = parts;
    this.#received = parts.now();
    this.id = idOf(ctx) ?? parts.newId();
    const agent = ctx.header('user-agent') ?? '';
    const userAgent = agent.length > MAX_USER_AGENT ? `${agent.slice(0, MAX_USER_AGENT)}...TRUNCATED` : agent;
    this.#fixed = {
      requestURI: ctx.raw?.req.url ?? uriOf(ctx),
      verb: attributes.verb,
      user: infoOf(attributes.user),
      sourceIPs: sourcesOf(ctx),
      ...(userAgent === '' ? {} : { userAgent }),
    };
    this.#objectRef = attributes.isResource
      ? present({
          resource: attributes.resource,
          namespace: attributes.namespace,
          name: attributes.name,
          apiGroup: attributes.group,
          apiVersion: attributes.version,
          subresource: attributes.subresource,
        })
      : undefined;
    this.#emit('RequestReceived', {});
    if (attributes.isResource && this.#isAtLeast('Request')) this.#watchBody(ctx);
  }

  /** What a stage or a plugin has to say of the request. */
  annotate(key: string, value: string): void {
    this.#annotations[key] = value;
  }

  /** From here on the request is another user's. */
  impersonated(user: User, constraint?: string): void {
    this.#impersonated = user;
    this.#constraint = constraint;
  }

  /** A watch or a stream begins: its answer is not complete yet. */
  started(code: number): void {
    this.#emit('ResponseStarted', { responseStatus: { metadata: {}, code } });
  }

  /** All was said. */
  completed(code: number, answer?: Answer): void {
    this.#nameBy(answer);
    const said = answer !== undefined && this.#isAtLeast('RequestResponse') ? this.#responseObject(answer) : undefined;
    this.#emit('ResponseComplete', {
      responseStatus: { metadata: {}, code },
      ...(said === undefined ? {} : { responseObject: said }),
    });
  }

  /** The request was refused. @param stage ResponseStarted for who is not even known */
  failed(status: Status, stage: AuditStage = 'ResponseComplete'): void {
    const { kind: _kind, apiVersion: _apiVersion, ...responseStatus } = status;
    this.#emit(stage, {
      responseStatus,
      ...(this.#isAtLeast('RequestResponse') ? { responseObject: status } : {}),
    });
  }

  #isAtLeast(level: (typeof LEVELS)[number]): boolean {
    return LEVELS.indexOf(this.#parts.instruction.level) >= LEVELS.indexOf(level);
  }

  #watchBody(ctx: RequestContext): void {
    const read = ctx.readBody.bind(ctx);
    ctx.readBody = async () => {
      const body = await read();
      this.#requestObject = await requestObjectOf(ctx, body);
      return body;
    };
  }

  /** A create names its object in the body only, or not at all. */
  #nameBy(answer: Answer | undefined): void {
    if (this.#objectRef === undefined || this.#objectRef.name !== undefined || answer?.type !== 'entry') return;
    this.#objectRef.name = answer.entry.object.metadata.name;
  }

  #responseObject(answer: Answer): unknown {
    switch (answer.type) {
      case 'entry':
        return this.#shown(answer.entry.as(answer.kind).object);
      case 'object':
        return this.#shown(answer.object);
      case 'list':
        return {
          kind: answer.kind.listKind,
          apiVersion: apiVersionOf(answer.kind),
          metadata: listMeta(answer),
          items: answer.entries.map((entry) => this.#shown(entry.as(answer.kind).object)),
        };
      default:
        return undefined;
    }
  }

  #shown(object: unknown): unknown {
    const { metadata } = (object ?? {}) as KubeObject;
    if (!this.#parts.instruction.omitManagedFields || metadata?.managedFields === undefined) return object;
    const { managedFields: _managed, ...rest } = metadata;
    return { ...(object as object), metadata: rest };
  }

  #emit(stage: AuditStage, more: Event): void {
    const { instruction, now, write } = this.#parts;
    if (instruction.omitStages.has(stage)) return;
    write({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: instruction.level,
      auditID: this.id,
      stage,
      ...this.#fixed,
      ...(this.#impersonated === undefined ? {} : { impersonatedUser: infoOf(this.#impersonated) }),
      ...(this.#constraint === undefined
        ? {}
        : { authenticationMetadata: { impersonationConstraint: this.#constraint } }),
      ...(this.#objectRef === undefined ? {} : { objectRef: this.#objectRef }),
      ...(this.#requestObject === undefined || stage === 'RequestReceived'
        ? {}
        : { requestObject: this.#shown(this.#requestObject) }),
      ...more,
      requestReceivedTimestamp: formatMicroTime(this.#received),
      stageTimestamp: formatMicroTime(now()),
      ...(Object.keys(this.#annotations).length === 0 ? {} : { annotations: this.#annotations }),
    });
  }
}

/** A client that follows its request through several servers brings an id along. */
function idOf(ctx: RequestContext): string | undefined {
  const id = ctx.header('audit-id') ?? '';
  return /^[\x21-\x7e]+$/.test(id) && id.length <= MAX_ID ? id : undefined;
}

function uriOf(ctx: RequestContext): string {
  const query = ctx.query.toString();
  return query === '' ? ctx.rawPath : `${ctx.rawPath}?${query}`;
}

/** All but the last can be made up by the client. */
function sourcesOf(ctx: RequestContext): string[] {
  const forwarded = (ctx.header('x-forwarded-for') ?? ctx.header('x-real-ip') ?? '').split(',').map((ip) => ip.trim());
  const remote = ctx.raw?.req.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '127.0.0.1';
  const sources = forwarded.filter((ip) => ip !== '');
  return sources.at(-1) === remote ? sources : [...sources, remote];
}

function present(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}
