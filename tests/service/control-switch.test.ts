/** The kill switch file: it holds rollbacks as soon as it is there, and lets them go when it is gone. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlDesk } from '../../src/engine/control-desk.ts';
import { KillSwitch } from '../../src/service/control-switch.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

let folder = '';
let path = '';
let telemetry: MemoryTelemetry;
let controls: ControlDesk;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-switch-'));
  path = join(folder, 'hold');
  telemetry = new MemoryTelemetry();
  controls = new ControlDesk();
});
afterEach(() => rmSync(folder, { recursive: true }));

const switchOf = (file: string | null, now = () => 1000) => new KillSwitch({ path: file, controls, telemetry, now });
const mode = () => controls.book.modeOf('shop', 'r', 1000);

it('holds from the next look on, and says once when it came and went', () => {
  const killSwitch = switchOf(path);
  expect(mode()).toBe('rollback');
  writeFileSync(path, '');
  killSwitch.look();
  killSwitch.look();
  expect([mode(), controls.book.switchedAt]).toEqual(['hold', 1000]);
  expect(telemetry.value('overrides_in_force', { scope: 'kill_switch' })).toBe(1);
  rmSync(path);
  killSwitch.look();
  killSwitch.look();
  expect([mode(), controls.book.switchedAt]).toEqual(['rollback', null]);
  expect(telemetry.lines.map(({ message }) => message)).toEqual([
    'the kill switch holds all rollbacks',
    'the kill switch is gone; rollbacks may leave again',
  ]);
});

it('that is there at the start is seen before anything is decided', () => {
  writeFileSync(path, '');
  switchOf(path);
  expect(mode()).toBe('hold');
});

it('is looked for right before a signal is sent', () => {
  const killSwitch = switchOf(path);
  const signal = { service: 'shop', rolloutId: 'r', generation: 1, action: 'rollback' } as Parameters<KillSwitch['standing']>[0];
  const current = { isCurrent: () => true };
  expect(killSwitch.standing(signal, current)).toBe('send');
  writeFileSync(path, '');
  expect(killSwitch.standing(signal, current)).toBe('wait');
  expect(killSwitch.standing({ ...signal, action: 'hold' }, current)).toBe('send');
  expect(killSwitch.standing(signal, { isCurrent: () => false })).toBe('superseded');
});

it('may be a link to nothing, as some tools make them', () => {
  symlinkSync('/nowhere/at/all', path);
  switchOf(path);
  expect(mode()).toBe('hold');
});

it('where it cannot be looked for holds, for nobody knows', () => {
  switchOf(join(folder, 'x'.repeat(300)));
  expect(mode()).toBe('hold');
  expect(telemetry.lines[0]?.fields).toMatchObject({ error: expect.stringContaining('ENAMETOOLONG') });
});

it('that nobody configured is never thrown, and one in a folder that is a file is absent', () => {
  switchOf(null);
  writeFileSync(path, '');
  switchOf(join(path, 'inside'));
  expect(mode()).toBe('rollback');
});

it('is looked for when a deploy system asks', () => {
  const killSwitch = switchOf(path);
  const ceiling = () => killSwitch.ceiling({ service: 'shop', id: 'r' });
  expect(ceiling()).toBe('rollback');
  writeFileSync(path, '');
  expect(ceiling()).toBe('hold');
});
