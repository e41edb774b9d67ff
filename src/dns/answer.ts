/** Answers to questions for names of the cluster. */
import type { Random } from '../lib/random.ts';
import { type Query, RCODE, type RecordData, type ResourceRecord, type Response, TYPE } from './message.ts';
import { ofType, type Zone } from './zone.ts';

/** How long clients may keep an answer, and the news that there is none, in seconds. */
export const TTL = 5;
const MAX_ALIASES = 8;

/** Records of a name elsewhere; undefined where nobody can be asked. */
export type ResolveElsewhere = (name: string, type: number) => Promise<readonly ResourceRecord[] | undefined>;

/** @param elsewhere asked for what aliases point to */
export async function answerOf(
  zone: Zone,
  query: Query,
  random: Random,
  elsewhere: ResolveElsewhere,
): Promise<Response> {
  if (query.name === zone.domain) return apexAnswer(zone, query);
  const found = zone.find(query.name);
  if (found === undefined) return negative(zone, RCODE.nameError);
  const answers: ResourceRecord[] = [];
  let name = query.name;
  let records = ofType(found, query.type);
  for (let aliases = 0; ; aliases++) {
    answers.push(...shuffled(records, random).map((data) => ({ name, ttl: TTL, data })));
    const [first] = records;
    if (first?.type !== 'CNAME' || query.type === TYPE.CNAME || query.type === TYPE.ANY) break;
    if (aliases === MAX_ALIASES) return failure();
    name = first.target;
    if (!zone.owns(name)) {
      const more = await elsewhere(name, query.type);
      if (more === undefined) return failure();
      answers.push(...more);
      break;
    }
    records = ofType(zone.find(name) ?? [], query.type);
    if (records.length === 0) break;
  }
  if (answers.length === 0) return negative(zone, RCODE.noError);
  return { rcode: RCODE.noError, authoritative: true, answers, authority: [], additional: addressesOf(zone, answers) };
}

/** The domain itself has its authority and its server only. */
function apexAnswer(zone: Zone, query: Query): Response {
  const server = serverOf(zone);
  if (query.type === TYPE.SOA || query.type === TYPE.ANY) return positive([authority(zone)]);
  if (query.type === TYPE.NS) return positive([{ name: zone.domain, ttl: TTL, data: { type: 'NS', target: server } }]);
  return negative(zone, RCODE.noError);
}

const positive = (answers: readonly ResourceRecord[]): Response => ({
  rcode: RCODE.noError,
  authoritative: true,
  answers,
  authority: [],
  additional: [],
});

const negative = (zone: Zone, rcode: number): Response => ({
  rcode,
  authoritative: true,
  answers: [],
  authority: [authority(zone)],
  additional: [],
});

/** Nobody knows: who asked may ask again. */
export const failure = (): Response => ({
  rcode: RCODE.serverFailure,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
});

const serverOf = (zone: Zone) => `ns.dns.${zone.domain}`;
const REFRESH = 7200;
const RETRY = 1800;
const EXPIRE = 86_400;

function authority(zone: Zone): ResourceRecord {
  return {
    name: zone.domain,
    ttl: TTL,
    data: {
      type: 'SOA',
      server: serverOf(zone),
      mailbox: `hostmaster.${zone.domain}`,
      numbers: [zone.serial, REFRESH, RETRY, EXPIRE, TTL],
    },
  };
}

/** The addresses of what SRV records point to, which are asked for next. */
function addressesOf(zone: Zone, answers: readonly ResourceRecord[]): ResourceRecord[] {
  const targets = new Set(answers.flatMap(({ data }) => (data.type === 'SRV' ? [data.target] : [])));
  return [...targets].flatMap((name) =>
    (zone.find(name) ?? [])
      .filter((data) => data.type === 'A' || data.type === 'AAAA')
      .map((data) => ({ name, ttl: TTL, data })),
  );
}

/** So that clients which take the first spread over all. */
function shuffled(records: readonly RecordData[], random: Random): RecordData[] {
  const out = [...records];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    // Both are within the array.
    [out[i], out[j]] = [out[j] as RecordData, out[i] as RecordData];
  }
  return out;
}
