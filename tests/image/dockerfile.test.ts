/** What is understood of a Dockerfile, and that the rest is refused rather than passed over. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contextFiles, contextFilter, dockerignoreOf } from './context.ts';
import { assignments, execForm, expanded, type Instruction, parseDockerfile } from './dockerfile.ts';
import { configured, EMPTY_CONFIG } from './image-config.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');

function instruction(text: string): Instruction {
  return parseDockerfile(`FROM base\n${text}`).stages[0]?.instructions[0] ?? expect.fail();
}

describe('reading a Dockerfile', () => {
  it('finds stages by name, flags, and lines that go on', () => {
    const { args, stages } = parseDockerfile(
      ['ARG BASE=a', '# about', 'FROM --platform=linux/arm64 $BASE AS one', 'RUN a \\', '# within', ' && b', 'FROM x'].join('\n'),
    );
    expect(args.map(({ rest }) => rest)).toEqual(['BASE=a']);
    expect(stages.map(({ name }) => name)).toEqual(['one', null]);
    expect(stages[0]?.from).toMatchObject({ flags: { platform: 'linux/arm64' }, rest: '$BASE AS one', line: 3 });
    expect(stages[0]?.instructions).toEqual([{ name: 'RUN', flags: {}, rest: 'a && b', line: 4 }]);
  });

  it.each([
    ['FROM a\nADD b c', 'line 2: ADD is not understood here'],
    ['FROM a\nRUN b \\', 'line 2: ends with a continued line'],
    ['RUN a\nFROM b', 'line 1: RUN stands before the first FROM'],
    ['FROM a b c', 'line 1: FROM wants `FROM image [AS name]`'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });

  it.each([
    'CMD node main.js',
    'ENTRYPOINT node',
    'HEALTHCHECK CMD node',
    'HEALTHCHECK NONE',
    'HEALTHCHECK --retries=2 CMD ["a"]',
    'USER node',
    'LABEL a',
  ])('refuses %j, which wants a shell, a name list or a flag that is not known', (text) => {
    expect(() => configured(EMPTY_CONFIG, instruction(text), new Map())).toThrow('Dockerfile line 2');
  });

  it('fills in arguments where they are known, and nothing where not', () => {
    expect(expanded(`$A-$\{B}-$C`, new Map(Object.entries({ A: '1', B: '2' })))).toBe('1-2-');
  });

  it('takes pairs apart, quoted and bare', () => {
    expect(assignments(instruction('LABEL a.b="c d" \\\n e=f'))).toEqual([
      ['a.b', 'c d'],
      ['e', 'f'],
    ]);
  });

  it('takes only text as words of the exec form', () => {
    expect(execForm(instruction('CMD ["a", "b c"]'))).toEqual(['a', 'b c']);
    expect(() => execForm(instruction('CMD ["a", 1]'))).toThrow('wants the exec form');
  });
});

describe('the files sent to the builder', () => {
  it.each([
    ['*\n!src', 'src/main.ts', true],
    ['*\n!src', 'tests/a.ts', false],
    ['*\n!src\nsrc/secret', 'src/secret/key', false],
    ['', 'anything', true],
    ['# only a comment\n*.log', 'a.log', false],
    ['*.log', 'folder/a.log', true],
    ['**/*.log', 'folder/a.log', false],
    ['*', '.env', false],
  ])('are by %j, of %s: %s', (dockerignore, path, isSent) => {
    expect(contextFilter(dockerignore)(path)).toBe(isSent);
  });

  it('of this repository are sources, configurations and what the package manager needs', () => {
    const sent = contextFiles(REPOSITORY, '.', dockerignoreOf(REPOSITORY));
    const tops = [...new Set(sent.map((path) => path.split('/')[0]))];
    expect(tops).toEqual(['.npmrc', 'config', 'package-lock.json', 'package.json', 'src', 'tsconfig.build.json', 'tsconfig.json']);
    expect(readFileSync(join(REPOSITORY, '.npmrc'), 'utf8')).not.toMatch(/_auth|password|\/\//i);
  });
});

describe('the page about the image', () => {
  const page = readFileSync(join(REPOSITORY, 'docs/image.md'), 'utf8');
  const dockerfile = parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'));
  const args = [...dockerfile.args, ...dockerfile.stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'ARG'))];
  const named = args.map(({ rest }) => rest.split('=')[0]);

  it('names build arguments that exist, with their defaults', () => {
    const shown = [...page.matchAll(/--build-arg (\w+)|`([A-Z]+_IMAGE|VERSION|REVISION)`/g)].map((match) => match[1] ?? match[2]);
    expect(new Set(shown)).toEqual(new Set(named.filter((name) => name !== 'TARGETARCH')));
    expect(page).toContain(`| \`NODE_IMAGE\` | \`${dockerfile.args[0]?.rest.split('=')[1]}\` |`);
  });

  it('links to what exists', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(REPOSITORY, 'docs', link)))).toEqual([]);
  });

  it('tells of a health check that is the image’s', () => {
    const check = dockerfile.stages.at(-1)?.instructions.find(({ name }) => name === 'HEALTHCHECK') ?? expect.fail();
    const command = configured(EMPTY_CONFIG, check, new Map()).healthcheck?.command ?? [];
    expect(page).toContain(['slipstream', ...command.slice(2)].join(' '));
  });
});
