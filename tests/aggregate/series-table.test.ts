import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { SeriesTable, type SeriesTableOptions } from '../../src/aggregate/series-table.ts';
import { ENDPOINT_KINDS, type EndpointKind, type EndpointKindIndex, type SeriesInfo } from '../../src/model/series.ts';

const ENCODER = new TextEncoder();

function tableWith(options: Partial<SeriesTableOptions> = {}): SeriesTable {
  return new SeriesTable({
    maxTotal: 100,
    maxReleasesPerService: 3,
    maxSeriesOf: () => 2,
    thresholdsOf: () => [],
    isReserved: () => false,
    hashSeed: 7,
    ...options,
  });
}

const resourceOf = (table: SeriesTable, service: string, attributes: Record<string, string> = { version: '1' }) =>
  table.resource({ service, releaseAttributes: new Map(Object.entries(attributes)) });

function seriesOf(table: SeriesTable, resource: number, a: string | Uint8Array, b = '', kind: EndpointKind = 'http'): number {
  const first = typeof a === 'string' ? ENCODER.encode(a) : a;
  // Inside larger buffers, as they come from the wire.
  const aBytes = Uint8Array.from([1, ...first, 2]);
  const bBytes = Uint8Array.from([3, 3, ...ENCODER.encode(b), 4]);
  const index = ENDPOINT_KINDS.indexOf(kind) as EndpointKindIndex;
  return table.series(resource, index, aBytes, 1, aBytes.length - 1, 0x20, bBytes, 2, bBytes.length - 1);
}

const endpointOf = (table: SeriesTable, id: number) => table.info(id).endpoint;

describe('SeriesTable', () => {
  it('gives one number per service, release, kind and endpoint, and tells what it stands for', () => {
    const table = tableWith({ maxSeriesOf: () => 10 });
    const [one, two] = [resourceOf(table, 'shop', { version: '1' }), resourceOf(table, 'shop', { version: '2' })];
    const ids = [
      seriesOf(table, one, 'GET', '/a'),
      seriesOf(table, two, 'GET', '/a'),
      seriesOf(table, one, 'GET', '/b'),
      seriesOf(table, one, 'GET', '/a', 'span'),
      seriesOf(table, resourceOf(table, 'cart'), 'GET', '/a'),
    ];
    expect(new Set(ids).size).toBe(5);
    expect(seriesOf(table, one, 'GET', '/a')).toBe(ids[0]);
    expect(table.info(ids[1] as number)).toEqual({
      id: ids[1],
      service: 'shop',
      release: { name: '2', attributes: new Map([['version', '2']]) },
      endpoint: 'GET /a',
      kind: 'http',
      thresholdsNs: [],
      rules: [],
    });
    expect(table.serviceIndexOf(ids[0] as number)).toBe(table.serviceIndexOf(ids[3] as number));
    expect(table.serviceIndexOf(ids[0] as number)).not.toBe(table.serviceIndexOf(ids[4] as number));
  });

  it('announces each series once, the overflow series of a release first', () => {
    const table = tableWith();
    const resource = resourceOf(table, 'shop');
    const id = seriesOf(table, resource, 'GET', '/a');
    expect(table.takeAnnounced().map((info) => [info.id, info.endpoint, info.kind])).toEqual([
      [0, '(other)', 'overflow'],
      [id, 'GET /a', 'http'],
    ]);
    seriesOf(table, resource, 'GET', '/a');
    expect(table.takeAnnounced()).toEqual([]);
  });

  it.each([
    ['a delimiter in the service', ['a,b', { x: 'c' }], ['a', { x: 'b,c' }]],
    ['a quote in the service', ['a"', { x: 'b' }], ['a', { '"x': 'b' }]],
    ['a delimiter in an attribute', ['s', { x: 'a', y: 'b' }], ['s', { x: 'a","y":"b' }]],
    ['a key that takes up its value', ['s', { xa: 'b' }], ['s', { x: 'ab' }]],
    ['no attributes and an empty one', ['s', {}], ['s', { x: '' }]],
    ['a service that looks like a key', ['["s"]', {}], ['s', {}]],
  ] as const)('keeps resources apart: %s', (_, [serviceA, attributesA], [serviceB, attributesB]) => {
    const table = tableWith();
    expect(resourceOf(table, serviceA, attributesA)).not.toBe(resourceOf(table, serviceB, attributesB));
  });

  it('knows a release whatever the order of its attributes', () => {
    const table = tableWith();
    expect(resourceOf(table, 's', { x: '1', y: '2' })).toBe(resourceOf(table, 's', { y: '2', x: '1' }));
  });

  it('names a release by its most telling attribute, or unknown', () => {
    const table = tableWith();
    expect(table.info(seriesOf(table, resourceOf(table, 's', { hash: 'abc', version: '1' }), 'x')).release.name).toBe('abc');
    expect(table.info(seriesOf(table, resourceOf(table, 's', {}), 'x')).release.name).toBe('unknown');
  });

  it('keeps names apart that differ in invalid bytes only', () => {
    const table = tableWith({ maxSeriesOf: () => 10 });
    const resource = resourceOf(table, 's');
    const names = [Uint8Array.of(0x61, 0x80), Uint8Array.of(0x61, 0x81), ENCODER.encode('a\\x80'), ENCODER.encode('a\ufffd')];
    const ids = names.map((name) => seriesOf(table, resource, name));
    expect(new Set(ids).size).toBe(4);
    expect(new Set(ids.map((id) => endpointOf(table, id))).size).toBe(4);
  });

  it('is one series for a name that comes in one part or in two, as it is shown the same', () => {
    const table = tableWith();
    const resource = resourceOf(table, 's');
    expect(seriesOf(table, resource, 'GET', '/a')).toBe(seriesOf(table, resource, 'GET /a'));
  });

  it('cuts long names, so that they cannot fill memory', () => {
    const table = tableWith({ nameBytes: 10 });
    const resource = resourceOf(table, 's');
    const id = seriesOf(table, resource, 'GET', '/aaaaaaaa1');
    expect(endpointOf(table, id)).toBe('GET /aaaaa');
    expect(seriesOf(table, resource, 'GET', '/aaaaaaaa2')).toBe(id);
  });

  describe('beyond a quota', () => {
    it('counts further endpoints in the overflow series of their release', () => {
      const table = tableWith();
      const [one, two] = [resourceOf(table, 's', { v: '1' }), resourceOf(table, 's', { v: '2' })];
      const known = [seriesOf(table, one, 'a'), seriesOf(table, one, 'b')];
      const beyond = [seriesOf(table, one, 'c'), seriesOf(table, one, 'd'), seriesOf(table, two, 'a')];
      expect(beyond.map((id) => [endpointOf(table, id), table.info(id).release.name])).toEqual([
        ['(other)', '1'],
        ['(other)', '1'],
        ['(other)', '2'],
      ]);
      expect([seriesOf(table, one, 'a'), seriesOf(table, one, 'b')]).toEqual(known);
      expect(table.seriesInUse('s')).toBe(2);
      expect(table.size).toBe(2);
    });

    it('does not touch the quota of another service', () => {
      const table = tableWith();
      const flood = resourceOf(table, 'flood');
      for (let i = 0; i < 50; i++) seriesOf(table, flood, `x${i}`);
      expect(endpointOf(table, seriesOf(table, resourceOf(table, 'shop'), 'a'))).toBe('a');
    });

    it('admits reserved endpoints up to twice the quota', () => {
      const table = tableWith({ isReserved: (_, endpoint) => endpoint.startsWith('slo') });
      const resource = resourceOf(table, 's');
      const names = ['a', 'b', 'c', 'slo1', 'slo2', 'slo3'];
      expect(names.map((name) => endpointOf(table, seriesOf(table, resource, name)))).toEqual([
        'a',
        'b',
        '(other)',
        'slo1',
        'slo2',
        '(other)',
      ]);
    });

    it('tells the reservation which service, endpoint and release it is asked for', () => {
      const asked: string[] = [];
      const table = tableWith({
        maxSeriesOf: () => 1,
        isReserved: (service, endpoint, release) => asked.push(`${service} ${endpoint} ${release.name}`) === 0,
      });
      const resource = resourceOf(table, 's');
      for (const name of ['a', 'b', 'b', 'b']) seriesOf(table, resource, name);
      expect(asked).toEqual(['s b 1']);
    });

    it('asks again about a refused endpoint after a flush, for an analysis may have begun', () => {
      let isReserved = false;
      const table = tableWith({ maxSeriesOf: () => 1, isReserved: () => isReserved });
      const resource = resourceOf(table, 's');
      seriesOf(table, resource, 'a');
      expect(endpointOf(table, seriesOf(table, resource, 'b'))).toBe('(other)');
      isReserved = true;
      table.takeAnnounced();
      expect(endpointOf(table, seriesOf(table, resource, 'b'))).toBe('b');
    });

    it('holds for all services together, reserved ones apart', () => {
      const table = tableWith({ maxTotal: 3, isReserved: (service) => service === 'c' });
      const ids = ['a', 'b', 'c'].flatMap((service) => {
        const resource = resourceOf(table, service);
        return ['x', 'y'].map((name) => seriesOf(table, resource, name));
      });
      expect(ids.map((id) => endpointOf(table, id))).toEqual(['x', 'y', 'x', '(other)', 'x', 'y']);
    });

    it('puts further releases of a service into one without attributes', () => {
      const table = tableWith({ maxSeriesOf: () => 10 });
      const releases = ['1', '2', '3', '4', '5'].map((v) => table.info(seriesOf(table, resourceOf(table, 's', { v }), 'x')).release);
      expect(releases.map(({ name, attributes }) => [name, attributes.size])).toEqual([
        ['1', 1],
        ['2', 1],
        ['3', 1],
        ['(other)', 0],
        ['(other)', 0],
      ]);
    });

    it('is not taken in by a release that calls itself (other)', () => {
      const table = tableWith();
      const release = table.info(seriesOf(table, resourceOf(table, 's', { v: '(other)' }), 'x')).release;
      expect(release.attributes.size).toBe(1);
    });

    it('puts further services into one that has overflow only', () => {
      const table = tableWith({ maxTotal: 2 });
      const infos = ['a', 'b', 'c', 'd'].map((service) => table.info(seriesOf(table, resourceOf(table, service), 'x')));
      expect(infos.map(({ service, endpoint }) => `${service} ${endpoint}`)).toEqual(['a x', 'b x', '(other) (other)', '(other) (other)']);
      expect(infos[2]?.id).toBe(infos[3]?.id);
    });
  });

  it('fixes thresholds when a series is created: ascending, distinct, at most 8', () => {
    const table = tableWith({ thresholdsOf: (_, endpoint) => (endpoint === '(other)' ? [5] : [9, 3, 3, 8, 7, 6, 5, 4, 2, 1]) });
    const resource = resourceOf(table, 's');
    expect(table.info(0).thresholdsNs).toEqual([5]);
    expect(table.info(seriesOf(table, resource, 'a')).thresholdsNs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('gives new numbers after its service was retired, within the same quota', () => {
    let thresholdsNs = [100];
    const table = tableWith({ thresholdsOf: () => thresholdsNs });
    const [shop, cart] = [resourceOf(table, 'shop'), resourceOf(table, 'cart')];
    const before = [seriesOf(table, shop, 'a'), seriesOf(table, shop, 'b'), seriesOf(table, shop, 'c'), seriesOf(table, cart, 'a')];
    thresholdsNs = [200];
    table.retire('shop');
    const after = [seriesOf(table, shop, 'a'), seriesOf(table, shop, 'b'), seriesOf(table, shop, 'c'), seriesOf(table, cart, 'a')];
    expect(after.map((id, i) => id === before[i])).toEqual([false, false, false, true]);
    expect(after.map((id) => endpointOf(table, id))).toEqual(['a', 'b', '(other)', 'a']);
    expect(after.slice(0, 3).map((id) => table.info(id).thresholdsNs)).toEqual([[200], [200], [200]]);
    expect(table.info(before[0] as number)).toMatchObject({ endpoint: 'a', thresholdsNs: [100] });
    expect(table.seriesInUse('shop')).toBe(2);
  });

  it('gives the places of idle series and releases to new ones', () => {
    const table = tableWith();
    const [one, two, three] = ['1', '2', '3'].map((v) => resourceOf(table, 's', { v })) as [number, number, number];
    const [old, busy] = [seriesOf(table, one, 'old'), seriesOf(table, two, 'busy')];
    const seen = new Set([busy, seriesOf(table, three, 'overflow')]);
    table.retireIdle((id) => !seen.has(id));
    expect(seriesOf(table, two, 'busy')).toBe(busy);
    const fourth = resourceOf(table, 's', { v: '4' });
    expect(table.info(seriesOf(table, fourth, 'new')).release.name).toBe('4');
    // A memo elsewhere may still hold the number of the release that lost its place.
    expect(table.info(seriesOf(table, one, 'old'))).toMatchObject({ release: { name: '(other)' }, endpoint: '(other)' });
    expect(table.info(old)).toMatchObject({ release: { name: '1' }, endpoint: 'old' });
  });

  it('revives an idle release when there is room', () => {
    const table = tableWith();
    const one = resourceOf(table, 's', { v: '1' });
    const before = seriesOf(table, one, 'x');
    table.retireIdle(() => true);
    expect(table.size).toBe(0);
    const after = seriesOf(table, one, 'x');
    expect(after).not.toBe(before);
    expect(table.info(after)).toMatchObject({ release: { name: '1' }, endpoint: 'x' });
    expect(resourceOf(table, 's', { v: '1' })).toBe(one);
    // It holds one of the three places again.
    const names = ['2', '3', '4'].map((v) => table.info(seriesOf(table, resourceOf(table, 's', { v }), 'x')).release.name);
    expect(names).toEqual(['2', '3', '(other)']);
  });

  describe('after a restart', () => {
    const restarted = (announced: readonly SeriesInfo[], options: Partial<SeriesTableOptions> = {}) => {
      const table = tableWith({ hashSeed: 99, ...options });
      // As a store returns them: same content, other objects.
      table.restore(structuredClone(announced));
      return table;
    };

    it('knows every series by its number, and numbers new ones after them', () => {
      const before = tableWith();
      const resource = resourceOf(before, 's');
      const odd = Uint8Array.of(0x5c, 0x78, 0x38, 0x80, 0xff);
      const ids = [seriesOf(before, resource, 'a', 'b'), seriesOf(before, resource, odd)];
      const after = restarted(before.takeAnnounced());
      const again = resourceOf(after, 's');
      expect([seriesOf(after, again, 'a', 'b'), seriesOf(after, again, odd)]).toEqual(ids);
      expect(after.info(0)).toEqual(before.info(0));
      expect(endpointOf(after, seriesOf(after, again, 'c'))).toBe('(other)');
      expect(after.takeAnnounced()).toEqual([]);
      expect(seriesOf(after, resourceOf(after, 'other'), 'x')).toBe(4);
    });

    it('starts a new series where thresholds are declared differently now', () => {
      const before = tableWith({ thresholdsOf: () => [100] });
      const id = seriesOf(before, resourceOf(before, 's'), 'a');
      const after = restarted(before.takeAnnounced(), { thresholdsOf: () => [200] });
      const now = seriesOf(after, resourceOf(after, 's'), 'a');
      expect(now).not.toBe(id);
      expect(after.info(now).thresholdsNs).toEqual([200]);
      expect(after.info(id).thresholdsNs).toEqual([100]);
      expect(after.info(0).kind).toBe('overflow');
    });

    it('starts a new series where event rules are declared differently now, and goes on where only their bits moved', () => {
      const rulesOf = (...keys: string[]) => ({ rulesOf: () => keys.map((key, i) => ({ key, bit: keys.length - 1 - i })) });
      const before = tableWith(rulesOf('a', 'b'));
      const id = seriesOf(before, resourceOf(before, 's'), 'x');
      expect(before.info(id).rules).toEqual(['a', 'b']);
      const announced = before.takeAnnounced();
      for (const [keys, goesOn] of [
        [['a', 'b'], true],
        [['b', 'a'], false],
        [['a'], false],
        [[], false],
      ] as const) {
        const after = restarted(announced, rulesOf(...keys));
        const now = seriesOf(after, resourceOf(after, 's'), 'x');
        expect([now === id, after.info(now).rules]).toEqual([goesOn, keys]);
        expect(after.info(id).rules).toEqual(['a', 'b']);
      }
      const moved = restarted(announced, {
        rulesOf: () => [
          { key: 'a', bit: 5 },
          { key: 'b', bit: 2 },
        ],
      });
      expect(seriesOf(moved, resourceOf(moved, 's'), 'x')).toBe(id);
      const { ruleBits, ruleStart, ruleCount, counterCount } = moved.columns;
      const start = ruleStart[id] as number;
      expect([...ruleBits.subarray(start, start + (ruleCount[id] as number))]).toEqual([5, 2]);
      expect(counterCount[id]).toBe(4);
    });

    it('keeps a release that was beyond the limit what it was', () => {
      const before = tableWith();
      for (const v of ['1', '2', '3', '4']) seriesOf(before, resourceOf(before, 's', { v }), 'x');
      const after = restarted(before.takeAnnounced());
      expect(resourceOf(after, 's', { v: '9' })).toBe(resourceOf(after, 's', { v: '8' }));
      expect(after.takeAnnounced()).toEqual([]);
    });
  });

  property.prop({ names: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 6 })), { maxLength: 200 }) })(
    'agrees with a map of byte strings',
    ({ names }) => {
      const table = tableWith({ maxTotal: 1000, maxSeriesOf: () => 1000 });
      const resource = resourceOf(table, 's');
      const expected = new Map<string, number>();
      for (const [kind, name] of names) {
        const key = `${kind} ${name.join()}`;
        const id = seriesOf(table, resource, name, '', ENDPOINT_KINDS[kind] as EndpointKind);
        expect(id).toBe(expected.get(key) ?? expected.size + 1);
        expected.set(key, id);
      }
    },
  );
});
