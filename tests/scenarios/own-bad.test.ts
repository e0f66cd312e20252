/** What a team calls bad, too many requests among it, is counted beside what has failed: exactly, over a reload and a restart. */
import { expect, it } from 'vitest';
import type { EventRule } from '../../src/model/span-rules.ts';
import { decodeRequest } from '../support/otlp-proto.ts';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, type ScenarioConfig, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { WORLD_START, World } from './world.ts';

const STATUS = 'http.response.status_code';
const SERVER_ERRORS = Array.from({ length: 100 }, (_, i) => `${500 + i}`);
const BUYING = 'POST /checkout';

/** `bad: 429 or 5xx`. */
const LIMITED: EventRule = { key: 'limited', where: null, bad: [{ [STATUS]: ['429', ...SERVER_ERRORS] }] };
const ONLY_LIMITED: EventRule = { key: 'only-limited', where: null, bad: [{ [STATUS]: ['429'] }] };
const own = (rule: EventRule, endpoint: string | null = null, name = 'served') =>
  objective({ service: 'checkout', name, endpoint, target: 0.99, sli: { kind: 'events', rule } });

/** Of a hundred requests two find the door closed and one breaks. */
function shop(): World {
  const recorded = (request: ServedRequest, random: () => number): ServedRequest => {
    const drawn = random();
    if (drawn < 0.02) return { ...request, failed: false, status: 429 };
    return drawn < 0.03 ? { ...request, failed: true, status: 503 } : { ...request, failed: false };
  };
  return new World([{ service: 'checkout', version: 'v1', rate: 60, endpoints: { [BUYING]: 1, 'GET /': 2 }, recorded }]);
}

/** Endpoint and status of every span, read by protobufjs. */
function answers(bytes: Uint8Array): { endpoint: string; status: number }[] {
  const message = decodeRequest(bytes);
  const { resourceSpans } = message.$type.toObject(message, { longs: String }) as {
    resourceSpans: { scopeSpans: { spans: { name: string; attributes: { key: string; value: { intValue?: string } }[] }[] }[] }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, attributes }) => ({
        endpoint: name,
        status: Number(attributes.find(({ key }) => key === STATUS)?.value.intValue),
      })),
    ),
  );
}

function played(live: Live, world: World, until: number): ReturnType<typeof answers> {
  const seen: ReturnType<typeof answers> = [];
  for (const arrival of world.until(until)) {
    live.arrive(arrival);
    seen.push(...answers(arrival.bytes));
  }
  live.idle(WORLD_START + until * 1000);
  return seen;
}

function reload(live: Live, config: ScenarioConfig): void {
  live.config = config;
  live.stages.reconfigure(config);
}

function counted(live: Live, id: string): { valid: number; bad: number } | undefined {
  const evidence = live.service('checkout').objectives.find((one) => one.id === id)?.judgement.evidence;
  return evidence?.kind === 'objective' ? { valid: evidence.valid, bad: evidence.valid - evidence.good } : undefined;
}

const isLimited = ({ status }: { status: number }) => status === 429;
const isBroken = ({ status }: { status: number }) => status >= 500;

it('429 spends the budget of the objective that says so, and of no other', () => {
  const objectives = [AVAILABILITY, own(LIMITED), own(LIMITED, BUYING, 'bought')];
  const live = new Live(scenarioConfig({ objectives }));
  const seen = played(live, shop(), 120);
  live.idle(live.now + 3000);
  const buying = seen.filter(({ endpoint }) => endpoint === BUYING);
  const [limited, broken] = [seen.filter(isLimited).length, seen.filter(isBroken).length];
  expect(limited).toBeGreaterThan(80);
  expect(counted(live, AVAILABILITY.id)).toEqual({ valid: seen.length, bad: broken });
  expect(counted(live, own(LIMITED).id)).toEqual({ valid: seen.length, bad: limited + broken });
  expect(counted(live, own(LIMITED, BUYING, 'bought').id)).toEqual({
    valid: buying.length,
    bad: buying.filter((answer) => isLimited(answer) || isBroken(answer)).length,
  });
});

it('only part of the requests may be valid at all', () => {
  const rule: EventRule = { key: 'in-time', where: { [STATUS]: ['429', '503'] }, bad: [{ [STATUS]: ['503'] }] };
  const live = new Live(scenarioConfig({ objectives: [own(rule)] }));
  const seen = played(live, shop(), 60);
  live.idle(live.now + 3000);
  const valid = seen.filter((answer) => isLimited(answer) || isBroken(answer)).length;
  expect(counted(live, own(rule).id)).toEqual({ valid, bad: seen.filter(isBroken).length });
});

it('another definition counts from its reload on, what the old one counted says nothing of it, and the objectives beside it go on', () => {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY, own(LIMITED)] }));
  const world = shop();
  const before = played(live, world, 60);
  reload(live, scenarioConfig({ objectives: [AVAILABILITY, own(ONLY_LIMITED)] }));
  const after = played(live, world, 120);
  live.idle(live.now + 3000);
  const all = [...before, ...after];
  expect(counted(live, AVAILABILITY.id)).toEqual({ valid: all.length, bad: all.filter(isBroken).length });
  const now = counted(live, own(ONLY_LIMITED).id);
  expect(now).toEqual({ valid: after.length, bad: after.filter(isLimited).length });

  live.restart();
  expect(counted(live, own(ONLY_LIMITED).id)).toEqual(now);
  const later = played(live, world, 150);
  live.idle(live.now + 3000);
  const since = [...after, ...later];
  expect(counted(live, own(ONLY_LIMITED).id)).toEqual({ valid: since.length, bad: since.filter(isLimited).length });
});
