/** What the watchdog of a Slipstream found to be broken, as lines: nothing while all is well. */
import { lengthText } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import type { EpochMs } from '../model/time.ts';
import type { WatchdogView } from '../model/watchdog-view.ts';
import type { TableOptions } from './table.ts';
import { toned } from './terminal-text.ts';

/** Blocks to stand before all others. */
export function watchdogText(
  { now, watchdog }: { readonly now: EpochMs; readonly watchdog: WatchdogView | null },
  options: TableOptions,
): readonly string[] {
  if (watchdog === null || watchdog.faults.length === 0) return [];
  const color = options.color === true;
  const { lastSuccessAt, faults } = watchdog;
  const last = lastSuccessAt === null ? 'never yet' : `${lengthText(Math.max(0, now - lastSuccessAt))} ago`;
  const lines = faults.map(({ part, fault, since, member }) => {
    const whose = member === null ? '' : `, ${visible(member)}`;
    return `  ${part}${whose}, for ${lengthText(Math.max(0, now - since))}: ${visible(fault)}`;
  });
  return [[toned(`The watchdog finds parts that do not work; it found all well ${last}.`, 'bad', color), ...lines].join('\n')];
}
