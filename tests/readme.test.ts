/** The README is true: what it shows validates, what it names exists. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../src/api/routes.ts';
import { COMMANDS } from '../src/cli/commands.ts';
import { validateFiles } from '../src/config/validate-files.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

function blocks(language: string): string[] {
  return [...README.matchAll(/```(\w*)\n([\s\S]*?)```/g)].filter((match) => match[1] === language).map((match) => match[2] as string);
}

describe('the README', () => {
  it('shows objectives that validate', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipstream-readme-'));
    try {
      const shown = blocks('yaml');
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

  it('shows JSON that is JSON', () => {
    for (const text of blocks('json')) expect(() => JSON.parse(text)).not.toThrow();
  });

  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] as string);
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it('names npm scripts, commands and paths of the API that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const run = [...README.matchAll(/npm run (?:-s )?(\w+)/g)].map((match) => match[1] as string);
    expect(run.filter((script) => scripts[script] === undefined)).toEqual([]);
    const commands = [...README.matchAll(/(?:slipstream -- |`slipstream |`serve)(\w+)/g)].map((match) => match[1] as string);
    const offered = COMMANDS.map((add) => add.name.replace(/^add/, '').toLowerCase());
    expect(commands.length).toBeGreaterThan(2);
    expect(commands.filter((command) => !offered.includes(command))).toEqual([]);
    const paths = [...README.matchAll(/(\/v1\/[a-z]+)/g)].map((match) => match[1] as string).filter((path) => path !== '/v1/traces');
    const known: string[] = Object.values(ROUTES).map((route) => route.path);
    expect([...new Set(paths)].filter((path) => !known.includes(path))).toEqual([]);
  });
});
