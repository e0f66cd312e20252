/** What docs/alerts.md tells people to do can be done: links lead somewhere, commands and options exist. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ran } from '../cli/streams.ts';

const FILE = join(import.meta.dirname, '../../docs/alerts.md');
const PAGE = readFileSync(FILE, 'utf8');

it('links lead to sections and files that exist', () => {
  const links = [...PAGE.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  const sections = [...PAGE.matchAll(/^## (\w+)$/gm)].map(([, name = '']) => `#${name.toLowerCase()}`);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => (link.startsWith('#') ? !sections.includes(link) : !existsSync(join(dirname(FILE), link))))).toEqual([]);
});

it('commands and their options exist', async () => {
  const named = [...PAGE.matchAll(/(?:`|^|-- )slipstream ((?:slo |override )?[a-z-]+)([^`\n]*)/gm)].map(([, command = '', rest = '']) => ({
    command: command.split(' '),
    options: rest.match(/--[a-z-]+/g) ?? [],
  }));
  expect(named.length).toBeGreaterThan(10);
  for (const { command, options } of named) {
    const { stdout, code } = await ran([...command, '--help']);
    expect([command, code, stdout.includes(`Usage: slipstream ${command.join(' ')}`)]).toEqual([command, 0, true]);
    for (const option of options) expect([command, stdout.includes(option)]).toEqual([command, true]);
  }
});
