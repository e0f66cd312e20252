/** What people and programs read of the watchdog: merged over members, as text of `slipstream status`, and what the configuration refuses. */
import { expect, it } from 'vitest';
import { watchdogText } from '../../src/cli/watchdog-text.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { mergedWatchdog, type WatchdogFault, type WatchdogView } from '../../src/model/watchdog-view.ts';
import { processDocument } from '../service/config.ts';
import { configFile } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';

const NOW = Date.UTC(2026, 4, 1, 12);

const fault = (part: WatchdogFault['part'], member: string | null): WatchdogFault => ({
  part,
  fault: 'broken',
  since: NOW - 60_000,
  member,
});
const view = (lastSuccessAt: number | null, ...faults: readonly WatchdogFault[]): WatchdogView => ({ lastSuccessAt, faults });

it.each<[string, readonly (WatchdogView | null | undefined)[], WatchdogView | null]>([
  ['nobody has one', [null, undefined], null],
  ['one of them is switched off', [null, view(NOW)], view(NOW)],
  ['all are well: by the one that waits longest', [view(NOW), view(NOW - 5_000)], view(NOW - 5_000)],
  ['one has found nothing well yet', [view(NOW), view(null)], view(null)],
  [
    'several are broken: by the path of spans, each fault once',
    [view(NOW, fault('state', 'a')), view(NOW, fault('decode', 'b')), view(NOW, fault('state', 'a'), fault('state', 'b'))],
    view(NOW, fault('decode', 'b'), fault('state', 'a'), fault('state', 'b')),
  ],
])('watchdogs of members are one when %s', (_name, views, merged) => {
  expect(mergedWatchdog(views)).toEqual(merged);
});

it.each<[string, WatchdogView | null, readonly string[]]>([
  ['nothing when it is switched off', null, []],
  ['nothing when all is well', view(NOW - 12_000), []],
  [
    'what is broken, for how long and whose it is',
    view(NOW - 90_000, fault('judging', null), fault('state', 'pod-\u001b[31m3')),
    [
      'The watchdog finds parts that do not work; it found all well 90 s ago.\n  judging, for 60 s: broken\n  state, pod-\\u{1b}[31m3, for 60 s: broken',
    ],
  ],
])('status shows %s', (_name, watchdog, blocks) => {
  expect(watchdogText({ now: NOW, watchdog }, { width: 100 })).toEqual(blocks);
});

it.each([
  ['an address in the file', { heartbeatUrl: 'https://heartbeats.example.com/key' }, 'a secret is never written into a configuration file'],
  ['an address that is none', { heartbeatUrl: { env: 'BEAT' } }, 'this is no address of a heartbeat'],
  ['a misspelt option', { intervall: '30s' }, 'intervall'],
  ['an interval without a unit', { interval: 30 }, 'unit'],
])('the configuration refuses %s', (_name, watchdog, told) => {
  const folders = new TemporaryFolders();
  const file = configFile(folders.make(), [{ ...processDocument(), watchdog }]);
  const loaded = loadConfig(file, {
    SLIPSTREAM_API_TOKEN: 'x'.repeat(32),
    BEAT: 'https://user:password@heartbeats.example.com/a-secret-key',
  });
  folders.clean();
  const problems = 'problems' in loaded ? JSON.stringify(loaded.problems) : '';
  expect(problems).toContain(told);
  expect(problems).not.toContain('a-secret-key');
});
