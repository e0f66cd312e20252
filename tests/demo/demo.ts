/** The demo: opens a world, tells a story on the terminal, cleans up, and says by its exit code whether the story ended as it should. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Children } from './children.ts';
import { type DemoOptions, parseOptions, USAGE } from './options.ts';
import { keepForReplay } from './recording.ts';
import { judgeStory, SCENARIOS, timetable } from './scenarios.ts';
import { Screen } from './screen.ts';
import { Story } from './story.ts';
import { summary } from './summary.ts';
import { openWorld } from './world.ts';

/** Exit codes of a process that ended by a signal, as shells count them. */
const EXIT_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

class Interrupted extends Error {}

async function main(options: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-demo-'));
  const broken = Promise.withResolvers<never>();
  const children = new Children((why) => broken.reject(new Error(why)));
  for (const name of Object.keys(EXIT_CODES)) process.on(name, () => broken.reject(new Interrupted(name)));
  try {
    return await Promise.race([play(options, folder, children), broken.promise]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof Interrupted) {
      process.stdout.write(`\nstopped by ${message}\n`);
      return EXIT_CODES[message] ?? 1;
    }
    process.stderr.write(`\nThe demo broke down: ${message}\n`);
    return 1;
  } finally {
    await children.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(options: DemoOptions, folder: string, children: Children): Promise<number> {
  const scenario = SCENARIOS[options.scenario];
  const screen = new Screen(process.stdout, process.env);
  screen.say(`${screen.paint('Slipstream demo', 'strong')}: ${scenario.plot}`);
  const record = options.record === null ? null : resolve(options.record);
  let story: Story | null = null;
  const world = await openWorld({
    children,
    folder,
    record,
    isOnKafka: options.isOnKafka,
    deployed: (event) => story?.deployed(event),
    firstBad: (atMs, endpoint) => story?.firstBad(atMs, endpoint),
  });
  story = new Story(world, screen, scenario, timetable(options.seconds));
  const end = await story.tell();
  const judged = judgeStory(scenario, end);
  await children.stop();
  const replay = record === null ? null : await keepForReplay(record, world.rollouts);
  process.stdout.write(summary({ scenario, end, judged, replay, paint: (text, tone) => screen.paint(text, tone) }));
  return judged.isRight ? 0 : 1;
}

const parsed = parseOptions(process.argv.slice(2));
switch (parsed.kind) {
  case 'help':
    process.stdout.write(USAGE);
    break;
  case 'wrong':
    process.stderr.write(`${parsed.why}\n\n${USAGE}`);
    process.exitCode = 2;
    break;
  case 'run':
    // What an interrupted story still waits for must not keep the terminal.
    process.exit(await main(parsed.options));
    break;
  default:
    parsed satisfies never;
}
