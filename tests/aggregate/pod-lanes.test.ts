/** Which lane a pod of a release counts in. */
import { describe, expect, it } from 'vitest';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { LANES } from '../../src/model/lane.ts';
import { PodLanes } from '../../src/model/pod-lanes.ts';

function releases(...versions: string[]) {
  const table = new SeriesTable({
    maxTotal: 10,
    maxReleasesPerService: 3,
    maxSeriesOf: () => 10,
    thresholdsOf: () => [],
    isReserved: () => false,
  });
  const resources = versions.map((version) =>
    table.resource({ service: 'shop', releaseAttributes: new Map([['service.version', version]]) }),
  );
  return { table, resources };
}

describe('the lane of a pod', () => {
  it('is given in order of appearance, round and round, to each release anew', () => {
    const { table, resources } = releases('1', '2');
    const [one = -1, two = -1] = resources;
    const lanes = Array.from({ length: LANES + 2 }, (_, pod) => table.lane(one, `pod-${pod}`));
    expect(lanes).toEqual([...Array.from({ length: LANES }, (_, i) => i + 1), 1, 2]);
    expect(table.lane(one, 'pod-4')).toBe(5);
    expect(table.lane(two, 'pod-4')).toBe(1);
  });

  it('is 0 where there is no name, and for a release that is not known', () => {
    const { table, resources } = releases('1');
    expect([table.lane(resources[0] ?? -1, ''), table.lane(99, 'pod')]).toEqual([0, 0]);
  });

  it('is that of its name beyond a thousand pods, the same each time', () => {
    const { table, resources } = releases('1');
    const release = resources[0] ?? -1;
    for (let pod = 0; pod < 1000; pod++) table.lane(release, `pod-${pod}`);
    const names = Array.from({ length: 500 }, (_, i) => `late-${i}`);
    const lanes = names.map((name) => table.lane(release, name));
    expect([Math.min(...lanes), Math.max(...lanes)]).toEqual([1, LANES]);
    expect(names.toReversed().map((name) => table.lane(release, name))).toEqual(lanes.toReversed());
    expect(table.lane(release, 'pod-999')).toBe(1 + (999 % LANES));
  });

  it('is given anew when the release has given its place up', () => {
    const { table, resources } = releases('1');
    const release = resources[0] ?? -1;
    expect(['a', 'b', 'c'].map((pod) => table.lane(release, pod))).toEqual([1, 2, 3]);
    table.retireIdle(() => true);
    expect(['c', 'b', 'a'].map((pod) => table.lane(release, pod))).toEqual([1, 2, 3]);
  });

  it('is the same after a restart, whichever pod is heard first then', () => {
    const before = releases('1', '2');
    const names = Array.from({ length: LANES + 4 }, (_, pod) => `pod-${pod}`);
    const lanesOf = ({ table, resources }: ReturnType<typeof releases>, pods: readonly string[]) =>
      pods.map((pod) => table.lane(resources[0] ?? -1, pod));
    const lanes = lanesOf(before, names);
    const saved = JSON.parse(JSON.stringify(before.table.savedPods(new Set(['shop']))));
    expect(before.table.savedPods(new Set(['another']))).toEqual([]);
    const after = releases('2', '1');
    after.table.restorePods(saved);
    const one = { ...after, resources: after.resources.toReversed() };
    expect(lanesOf(one, names.toReversed())).toEqual(lanes.toReversed());
    expect(lanesOf(one, ['a new one'])).toEqual([1 + ((LANES + 4) % LANES)]);
  });

  it('takes room that all releases share, and gives it back', () => {
    const room = { left: 2, changes: 0 };
    const [one, two] = [new PodLanes(room), new PodLanes(room)];
    expect([one.laneOf('a'), two.laneOf('b'), room.left]).toEqual([1, 1, 0]);
    const beyond = Array.from({ length: 30 }, (_, i) => one.laneOf(`c-${i}`));
    expect(beyond.every((lane) => lane >= 1 && lane <= LANES)).toBe(true);
    expect([one.laneOf('a'), room.left]).toEqual([1, 0]);
    two.forget();
    expect([one.laneOf('d'), room.left]).toEqual([2, 0]);
  });
});
