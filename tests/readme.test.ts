/** The README is true: what it shows validates, what it names exists. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROUTES } from '../src/api/routes.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { canaryPolicy, USUAL_BUDGET } from '../src/config/canary-policy.ts';
import { chartValuesJson } from '../src/config/chart-values-json.ts';
import { validateFiles } from '../src/config/validate-files.ts';
import { explanation } from '../src/model/explanation.ts';
import { percent } from '../src/model/number-text.ts';
import { ran } from './cli/streams.ts';
import { rolledBack } from './model/runs.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PAGES = ['README.md', 'docs/deploy-systems.md', 'docs/kafka.md'];

function blocks(language: string, page = README): string[] {
  return [...page.matchAll(/```(\w*)\n([\s\S]*?)```/g)].filter((match) => match[1] === language).map((match) => match[2] as string);
}

/** A file of values for the chart says so first; all other YAML is configuration of Slipstream. */
const isValuesFile = (text: string): boolean => text.startsWith('# values.yaml\n');
const takesValues = new Ajv({ strict: false, validateFormats: false }).compile(chartValuesJson());

describe.each(PAGES)('%s', (name) => {
  const page = readFileSync(join(ROOT, name), 'utf8');

  it('shows objectives that validate', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-readme-'));
    try {
      const shown = blocks('yaml', page).filter((text) => !isValuesFile(text));
      expect(shown.length).toBeGreaterThan(0);
      for (const [i, text] of shown.entries()) {
        const file = join(folder, `${i}.yaml`);
        writeFileSync(file, text);
        expect(validateFiles([file])).toMatchObject({ problems: [], warnings: [] });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('shows values that the chart takes', () => {
    for (const text of blocks('yaml', page).filter(isValuesFile))
      expect([takesValues(parse(text)), takesValues.errors]).toEqual([true, null]);
  });

  it('shows JSON that is JSON', () => {
    for (const text of blocks('json', page)) expect(() => JSON.parse(text)).not.toThrow();
  });

  it('links to files that exist', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] as string);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(name), link)))).toEqual([]);
  });

  it('names npm scripts, commands and paths of the API that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const run = [...page.matchAll(/npm run (?:-s )?(\w+)/g)].map((match) => match[1] as string);
    expect(run.filter((script) => scripts[script] === undefined)).toEqual([]);
    const commands = [...page.matchAll(/(?:slipstream -- |`slipstream |`serve)(\w+)/g)].map((match) => match[1] as string);
    const offered = COMMANDS.map((add) => add.name.replace(/^add/, '').toLowerCase());
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter((command) => !offered.includes(command))).toEqual([]);
    const paths = [...page.matchAll(/((?:\/api|\/flagger|\/spinnaker)?\/v1\/[a-z-]+)/g)]
      .map((match) => match[1] as string)
      .filter((path) => path !== '/v1/traces');
    const known: string[] = Object.values(ROUTES).map((route) => route.path);
    expect([...new Set(paths)].filter((path) => !known.includes(path))).toEqual([]);
  });

  it('shows options that its commands have', async () => {
    const shown = [...page.matchAll(/slipstream (?:-- )?(slo \w+|\w+) ([^#`\n]*--[^#`\n]*)/g)].map(([, command = '', rest = '']) => ({
      command,
      options: rest.match(/--[a-z-]+/g) ?? [],
    }));
    expect(shown.length).toBeGreaterThan(2);
    for (const { command, options } of shown) {
      const { stdout } = await ran([...command.split(' '), '--help']);
      for (const option of options) expect(stdout, `${command} ${option}`).toContain(option);
    }
  });
});

describe('all pages', () => {
  const pages = ['README.md', 'charts/slipstream/README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];

  it.each(pages.filter((name) => name.endsWith('.md')))('%s leads to files and headings that exist', (name) => {
    const text = readFileSync(join(ROOT, name), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]+)?\)/g)];
    const lost = links.filter(([, path = '', anchor]) => {
      const file = join(ROOT, path === '' ? name : join(dirname(name), path));
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor));
    });
    expect(lost.map(([link]) => link)).toEqual([]);
  });
});

/** As they are made of headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map(
      (heading) =>
        `#${heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
          .replaceAll(' ', '-')}`,
    ),
  );
}

describe('the README', () => {
  it('shows a page with the sections that pages have', () => {
    const page = blocks('').find((text) => text.startsWith('Roll back: the canary is proven worse than the baseline.\n'));
    const titles = (text: string): string[] => text.split('\n').filter((line) => /^[A-Z]/.test(line));
    expect(titles(page ?? '').length).toBeGreaterThan(4);
    const real = titles(explanation(rolledBack).join('\n'));
    expect(titles(page ?? '').filter((title) => !real.includes(title))).toEqual([]);
  });

  it('has one place for the measured figures', () => {
    expect(README.split('<!-- decisions:begin -->')).toHaveLength(2);
    expect(README.split('<!-- decisions:end -->')).toHaveLength(2);
    expect(README.indexOf('<!-- decisions:begin -->')).toBeLessThan(README.indexOf('<!-- decisions:end -->'));
  });

  it('tells the defaults as they are', () => {
    const {
      alpha,
      beta,
      incidentWindowMs,
      warmupMs,
      horizonMs,
      minPassMs,
      minRequests,
      latency,
      errors,
      maxErrorRatio,
      freshnessMs,
      coolDownMs,
    } = canaryPolicy([], []);
    const row = (name: string): string => README.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '';
    const short = (ms: number): string =>
      ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
    expect(row('`alpha`')).toContain(percent(alpha));
    expect(row('`beta`')).toContain(percent(beta));
    expect(row('`incidentWindow`')).toContain(short(incidentWindowMs));
    expect(row('`warmup`')).toContain(short(warmupMs));
    expect(row('`decideWithin`, `minPromote`, `minRequests`')).toContain(`${short(horizonMs)}, ${short(minPassMs)}, ${minRequests}`);
    expect(row('`freshness`, `coolDown`, `maxRollbacksPerHour`')).toContain(`${short(freshnessMs)}, ${short(coolDownMs)}, 3`);
    expect(row('`maxBurnRate`')).toContain(String(Number(((maxErrorRatio ?? 0) / USUAL_BUDGET).toFixed(6))));
    expect([latency.p50.ratio, latency.p95.ratio, latency.p99.ratio].map(percent)).toEqual(['10 %', '10 %', '15 %']);
    expect(row('`tolerances` harm')).toContain(
      `p50, p95 +${percent(latency.p95.ratio)}, p99 +${percent(latency.p99.ratio)}, errors +${errors.addRatio * 100} pp and odds × ${errors.oddsRatio}`,
    );
    expect(row('`tolerances` healthy').replaceAll('pp', '%')).toContain(
      [latency.p50.passRatio, latency.p95.passRatio, latency.p99.passRatio, errors.passAddRatio]
        .map((ratio) => `+${percent(ratio)}`)
        .join(', '),
    );
  });
});
