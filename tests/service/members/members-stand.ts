/** Members with cells of their own, whose APIs listen on loopback; the control topic is a list that all of them see. */
import { type Api, createApi } from '../../../src/api/create-api.ts';
import type { ApiHandlers } from '../../../src/api/handlers.ts';
import type { TlsFiles } from '../../../src/config/config.ts';
import { Secret } from '../../../src/config/secret.ts';
import { apiHandlers } from '../../../src/service/api-handlers.ts';
import { deltaPartition } from '../../../src/service/ingest/delta-partition.ts';
import { kayentaHandlers } from '../../../src/service/kayenta-handlers.ts';
import type { ControlFact, ControlRecord } from '../../../src/service/members/control-record.ts';
import { Directory } from '../../../src/service/members/directory.ts';
import { membersFront } from '../../../src/service/members/members-front.ts';
import { peerClient } from '../../../src/service/members/peer-client.ts';
import { RollbackPermits } from '../../../src/service/members/rollback-permits.ts';
import type { RoutedCell } from '../../../src/service/members/routed-cell.ts';
import { routedHandlers } from '../../../src/service/members/routed-handlers.ts';
import { SettledRuns } from '../../../src/service/settled.ts';
import type { Fetch } from '../../../src/tls/client-tls.ts';
import { memberFetch } from '../../../src/tls/member-fetch.ts';
import { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { PipelineStand } from '../pipeline-stand.ts';

export const PARTITIONS = 4;
export const TOKEN = 'a-token-of-members-nobody-may-see';

/** A service of the partition, the n-th of those that are tried. */
export function serviceIn(partition: number, nth = 0): string {
  for (let i = 0, found = 0; ; i++) if (deltaPartition(`svc-${i}`, PARTITIONS) === partition && found++ === nth) return `svc-${i}`;
}

/** The topic: what is appended is seen by all members at once, in order. */
export class ControlList {
  readonly takers: ((record: ControlRecord) => void)[] = [];
  isAway = false;
  #records: ControlRecord[] = [];

  async append(fact: ControlFact): Promise<number> {
    await null;
    if (this.isAway) throw new Error('the broker is away');
    const offset = this.#records.length;
    const record = { ...fact, offset };
    this.#records.push(record);
    for (const take of this.takers) take(record);
    return offset;
  }

  async forget(): Promise<void> {}

  /** A taker that comes later reads all from the beginning. */
  follow(take: (record: ControlRecord) => void): void {
    for (const record of this.#records) take(record);
    this.takers.push(take);
  }
}

export class CellStand {
  readonly stand = new PipelineStand();
  readonly cell: RoutedCell;
  readonly settled: SettledRuns;
  /** What `durable` resolves with from now on. */
  durable: () => Promise<void> | null = () => null;

  constructor() {
    const { stages, store, telemetry, clock, judging, delivery } = this.stand;
    this.settled = new SettledRuns((id) => stages.engine.rollouts.find(id)?.view() ?? null);
    this.stand.changed = () => this.settled.look();
    const handlers = apiHandlers({
      ...{ engine: stages.engine, store, delivery, telemetry, clock, version: 'test', settled: this.settled },
      kayenta: kayentaHandlers(() => stages.releaseBy),
      ceiling: ({ service, id }) => stages.engine.controls.book.modeOf(service, id, clock.now()),
      checkpoint: () => judging.checkpoint(),
      isDurable: () => judging.isDurable,
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => '',
    });
    this.cell = { handlers, durable: () => this.durable() };
  }
}

export class MemberStand {
  readonly name: string;
  readonly control: ControlList;
  readonly cells = new Map<number, CellStand>();
  readonly telemetry = new MemoryTelemetry();
  readonly directory = new Directory({ partitions: PARTITIONS, partitionOf: (service) => deltaPartition(service, PARTITIONS) });
  readonly handlers: ApiHandlers;
  readonly permits: RollbackPermits;
  readonly #api: Api;
  readonly #fetch: Fetch;
  url = '';

  /** `tls`: members speak it to each other. */
  constructor(name: string, control: ControlList, tls: TlsFiles | null = null) {
    this.name = name;
    this.control = control;
    this.#fetch = memberFetch(tls?.caFile ?? null);
    // Far ahead of the clocks of the cells, which stand still: no query of theirs is late.
    const clock = { now: () => Date.now(), monotonicMs: () => performance.now() + 1e9 };
    const limits = () => ({ maxRollbacksPerHour: 3, commonCause: { services: 0, withinMs: 600_000 } });
    this.permits = new RollbackPermits({ log: control, member: name, telemetry: this.telemetry, limits, ...clock });
    control.follow((record) => {
      this.directory.take(record);
      this.permits.take(record);
    });
    const releaseBy = () => ['service.version'];
    this.handlers = routedHandlers({
      cells: () => new Map([...this.cells].map(([partition, { cell }]) => [partition, cell])),
      ...{
        directory: this.directory,
        version: 'test',
        releaseBy,
        kayenta: kayentaHandlers(releaseBy),
        clock,
        permits: this.permits,
        limits,
      },
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => '',
    });
    const self = this;
    const front = membersFront({
      owned: () => new Set(this.cells.keys()),
      get url() {
        return self.url;
      },
      directory: this.directory,
      peers: peerClient(this.telemetry, this.#fetch),
      handlers: this.handlers,
      now: () => Date.now(),
    });
    const config = { host: '127.0.0.1', port: 0, publicUrl: null, advertisedUrl: null, token: new Secret(TOKEN), tls };
    this.#api = createApi(this.handlers, config, this.telemetry, () => Date.now(), front);
  }

  async start(): Promise<void> {
    this.url = (await this.#api.start()).address;
  }

  stop(): Promise<void> {
    for (const { settled } of this.cells.values()) settled.stop();
    return this.#api.stop();
  }

  async own(partition: number, cell = new CellStand()): Promise<CellStand> {
    this.cells.set(partition, cell);
    await this.control.append({ kind: 'owner', partition, member: this.name, url: this.url });
    return cell;
  }

  /** The state and the runs of a partition move to another member. */
  async move(partition: number, to: MemberStand): Promise<void> {
    const cell = this.cells.get(partition);
    this.cells.delete(partition);
    await to.own(partition, cell);
  }

  cell(partition: number): CellStand {
    const cell = this.cells.get(partition);
    if (cell === undefined) throw new Error(`${this.name} does not have partition ${partition}`);
    return cell;
  }

  async ask(path: string, { method = 'GET', body, token = TOKEN }: { method?: string; body?: object; token?: string } = {}) {
    const headers = {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const answer = await this.#fetch(`${this.url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    const isJson = (answer.headers.get('content-type') ?? '').includes('json');
    return { status: answer.status, headers: answer.headers, text, json: isJson && text !== '' ? JSON.parse(text) : null };
  }

  post(path: string, body: object, token = TOKEN) {
    return this.ask(path, { method: 'POST', body, token });
  }
}
