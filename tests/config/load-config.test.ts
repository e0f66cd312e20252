/** Files in, model types out: defaults, layers, ids, secrets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { renderProblems } from '../../src/config/problem.ts';
import type { Environment } from '../../src/config/read-secret.ts';
import { MAX_FILE_BYTES } from '../../src/config/source-files.ts';

const GOOD = join(import.meta.dirname, 'fixtures/good');
const LOCAL = join(import.meta.dirname, '../../config/local.yaml');
const folder = mkdtempSync(join(tmpdir(), 'slipstream-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
function file(text: string | Uint8Array, name = `${written++}.yaml`): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function loaded(path: string, env: Environment = {}): Config {
  const result = loadConfig(path, env);
  if ('problems' in result) throw new Error(renderProblems(result.problems));
  return result.config;
}

function problemsOf(path: string, env: Environment = {}) {
  const result = loadConfig(path, env);
  return 'problems' in result ? result.problems : [];
}

const PLAIN = { weight: 1, isCritical: false, isMuted: false };

describe('loading a configuration', () => {
  it('gives an empty process file every default, on loopback only', () => {
    const config = loaded(join(GOOD, 'minimal.yaml'));
    expect(config.receivers.otlpGrpc).toMatchObject({ host: '127.0.0.1', port: 4317, maxConnectionAgeMs: 0, maxSessionMemoryMiB: 128 });
    expect(config.receivers.otlpHttp).toMatchObject({ host: '127.0.0.1', port: 4318, requestTimeoutMs: 60_000 });
    expect(config.receivers).toMatchObject({ maxRequestBytes: 2 ** 26, maxInFlightBytes: 2 ** 28, retryAfterMs: 1000 });
    expect(config.api).toEqual({ host: '127.0.0.1', port: 8080, publicUrl: null, token: null, tls: null, advertisedUrl: null });
    expect(config.histogram).toEqual({ digits: 2, highestUs: 60_000_000 });
    expect(config.policies.services.size).toBe(0);
    expect(config.policies.fallback).toMatchObject({ maxSeries: 500, canary: { mode: 'observe', track: null, trackBy: null, sinks: [] } });
  });

  it('judges canaries by the measured defaults of the statistics', () => {
    const { id: _, ...policy } = loaded(join(GOOD, 'minimal.yaml')).policies.fallback.canary;
    expect(policy).toEqual({
      mode: 'observe',
      track: null,
      trackBy: null,
      alpha: 0.01,
      beta: 0.05,
      warmupMs: 120_000,
      horizonMs: 3_600_000,
      minPassMs: 300_000,
      minRequests: 200,
      incidentWindowMs: 5_000,
      latency: {
        p50: { ratio: 0.1, addUs: 2_000, passRatio: 0.25, passAddUs: 5_000 },
        p95: { ratio: 0.1, addUs: 5_000, passRatio: 0.3, passAddUs: 10_000 },
        p99: { ratio: 0.15, addUs: 5_000, passRatio: 0.5, passAddUs: 10_000 },
      },
      errors: { oddsRatio: 1.1, addRatio: 0.0005, passAddRatio: 0.005 },
      checks: { p50: PLAIN, p95: PLAIN, p99: PLAIN, errors: PLAIN },
      endpoints: [],
      criteria: [],
      maxErrorRatio: 0.0144,
      onSilence: 'hold',
      baseline: { kind: 'concurrent' },
      bakeMs: 0,
      strictness: 'fixed',
      freshnessMs: 30_000,
      coolDownMs: 1_800_000,
      onInconclusive: 'hold',
      signalTtlMs: 600_000,
      sinks: [],
    });
  });

  it('works without any other service with local.yaml, and has objectives for the shop', () => {
    const config = loaded(LOCAL);
    expect([...config.policies.services.keys()].sort()).toEqual(['catalog', 'checkout', 'frontend', 'payment']);
    expect(config.sinks).toEqual([{ type: 'print', name: 'print', isDryRun: false }]);
    expect(config.policies.fallback.canary).toMatchObject({ mode: 'rollback', trackBy: 'service.version', sinks: ['print'] });
  });

  it('takes SLO documents from the process file itself', () => {
    const policy = loaded(join(GOOD, 'single-file.yaml')).policies.services.get('shop/checkout');
    expect(policy?.objectives).toMatchObject([
      {
        id: 'shop/checkout:error-rate',
        name: 'error-rate',
        service: 'shop/checkout',
        endpoint: null,
        sli: { kind: 'errorRate' },
        target: 0.999,
        windowMs: 28 * 86_400_000,
        text: 'errorRate: < 0.1%',
      },
    ]);
    expect(policy?.canary).toMatchObject({
      track: { canary: { 'service.version': 'v2' }, baseline: { 'service.version': 'v1' } },
      sinks: ['out'],
    });
  });

  it('lets a service override the defaults of the organisation option by option', () => {
    const { policies, spans, files } = loaded(join(GOOD, 'globs.yaml'));
    const payment = policies.services.get('payment');
    expect(payment?.objectives.map(({ id, target, windowMs }) => [id, target, windowMs / 86_400_000])).toEqual([
      ['payment:snappy', 0.95, 28],
      ['payment:POST /pay:latency-p99-800ms', 0.99, 28],
      ['payment:GET /**:latency-p99-100ms', 0.99, 28],
      ['payment:GET /**:availability', 0.9995, 28],
    ]);
    expect(payment?.maxSeries).toBe(10);
    expect(payment?.canary).toMatchObject({
      warmupMs: 0,
      latency: { p95: { ratio: 0.2, addUs: 7_000, passRatio: 0.4, passAddUs: 14_000 } },
    });
    expect(policies.fallback).toMatchObject({
      maxSeries: 40,
      canary: { warmupMs: 60_000, latency: { p95: { ratio: 0.2, addUs: 5_000 } } },
    });
    expect(policies.maxRollbacksPerHour).toBe(0);
    expect(spans.exclude).toEqual(
      new Map([
        ['*', [{ 'http.route': ['/healthz'] }]],
        ['payment', [{ loadtest: ['true', '1'] }]],
      ]),
    );
    expect(files).toHaveLength(3);
  });

  it('names a policy after its content, however it was written', () => {
    const one = loaded(
      file('{}\n---\napiVersion: slipstream.dev/v1\nkind: Defaults\nmetadata: { name: a }\nspec: { canary: { warmup: 60s, alpha: 1% } }\n'),
    );
    const same = loaded(
      file(
        '{}\n---\napiVersion: slipstream.dev/v1\nkind: Defaults\nmetadata: { name: a }\nspec: { canary: { alpha: 1.0%, warmup: 1m } }\n',
      ),
    );
    const other = loaded(
      file('{}\n---\napiVersion: slipstream.dev/v1\nkind: Defaults\nmetadata: { name: a }\nspec: { canary: { warmup: 61s } }\n'),
    );
    expect(one.policies.fallback.canary.id).toMatch(/^[0-9a-f]{16}$/);
    expect(same.policies.fallback.canary.id).toBe(one.policies.fallback.canary.id);
    expect(other.policies.fallback.canary.id).not.toBe(one.policies.fallback.canary.id);
  });

  it('has another revision for another content', () => {
    const revisions = ['{}', 'api: {}', 'api: {}\n'].map((text) => loaded(file(text, 'same-name.yaml')).policies.revision);
    expect(new Set(revisions).size).toBe(3);
    expect(loaded(file('{}', 'same-name.yaml')).policies.revision).toBe(revisions[0]);
  });

  it('switches receivers and the state folder off', () => {
    const config = loaded(
      file('receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false, host: 0.0.0.0 } }\nstate: { enabled: false }\n'),
    );
    expect([config.receivers.otlpGrpc, config.receivers.otlpHttp, config.state.directory]).toEqual([null, null, null]);
  });

  it('opens to other machines when it is told that this is safe, or the API when it has a token', () => {
    loaded(
      file('receivers: { insecureNonLoopback: true, otlpGrpc: { host: 0.0.0.0 } }\napi: { host: 0.0.0.0, insecureNonLoopback: true }\n'),
    );
    loaded(file('api: { host: 0.0.0.0, token: { env: TOKEN } }\n'), { TOKEN: 'correct-horse-battery' });
  });

  it.each([
    ['present a token', 'token: { env: TOKEN }'],
    ['show a certificate', 'tls: { certFile: tls.crt, keyFile: tls.key, clientCaFile: ca.crt }'],
  ])('opens receivers to senders on other machines that %s', (_how, known) => {
    loaded(file(`receivers: { ${known}, otlpGrpc: { host: 0.0.0.0 }, otlpHttp: { host: "::" } }\n`), { TOKEN: 'correct-horse-battery' });
  });

  it('takes several tokens of senders, one a line, and files of TLS from beside the process file', () => {
    const path = file('receivers: { token: { env: TOKENS }, tls: { certFile: tls.crt, keyFile: /run/tls.key } }\n');
    const { tls, tokens } = loaded(path, { TOKENS: 'correct-horse-battery\n\nstaple-correct-horse\r\n' }).receivers;
    expect(tls).toEqual({ certFile: join(dirname(path), 'tls.crt'), keyFile: '/run/tls.key', caFile: null });
    expect(tokens?.map((token) => token.reveal())).toEqual(['correct-horse-battery', 'staple-correct-horse']);
    expect(loaded(file('{}\n')).receivers).toMatchObject({ tls: null, tokens: null });
  });

  it.each([
    ['of which one is short', 'correct-horse-battery\nshort', 'this token is easily guessed'],
    ['of which one has spaces', 'correct-horse-battery\ncorrect horse battery staple', 'characters no HTTP header can carry'],
    ['of which there is none', '\n\n', 'this secret is empty'],
    ['that are too many', Array.from({ length: 9 }, (_, i) => `correct-horse-battery-${i}`).join('\n'), 'more than 8 tokens'],
  ])('refuses tokens of senders %s, and shows none', (_what, tokens, words) => {
    const result = loadConfig(file('receivers: { token: { env: TOKENS } }\n'), { TOKENS: tokens });
    const told = JSON.stringify(result);
    expect(told).toContain(words);
    expect(told).not.toContain('battery');
  });

  it('derives what a canary may fail from the tightest objective of the whole service', () => {
    const slo = (name: string, objectives: string): string =>
      `---\napiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: ${name} }\nspec:\n  service: ${name}\n${objectives}`;
    const { services, fallback } = loaded(
      file(
        `{}\n${slo('a', '  objectives: [{ availability: 99% }, { errorRate: < 2%, name: more }, { latency: p99.99 < 1s }]\n')}` +
          slo('b', '  perEndpoint: [{ match: GET /, objectives: [{ availability: 99% }] }]\n') +
          slo('c', '  objectives: [{ availability: 95% }]\n  canary: { maxBurnRate: 20 }\n'),
      ),
    ).policies;
    expect(['a', 'b', 'c'].map((name) => services.get(name)?.canary?.maxErrorRatio)).toEqual([0.144, 0.0144, 0.5]);
    expect(fallback.canary.maxErrorRatio).toBe(0.0144);
  });

  it('warns of what is hardly meant', () => {
    const envelope = 'apiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec:\n  service: a\n  window: 5m\n';
    const result = loadConfig(
      file(`{}\n---\n${envelope}  objectives: [{ availability: 99.9% }, { errorRate: < 0.1% }, { availability: 99.9999%, name: n }]\n`),
      {},
    );
    expect('warnings' in result ? result.warnings.map((warning) => warning.message) : []).toEqual([
      '`availability` looks back less than an hour, so a handful of requests decides it',
      '`error-rate` looks back less than an hour, so a handful of requests decides it',
      '`error-rate` and `availability` count the same failures against the same budget',
      '`n` looks back less than an hour, so a handful of requests decides it',
      '`n` allows fewer than 5 bad requests in a million',
    ]);
  });

  it('warns of a strictness without a budget, and of endpoints whose setting is never reached', () => {
    const slo =
      'apiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec:\n  service: a\n  canary:\n    strictness: budget\n';
    const endpoints = '    endpoints: [{ match: GET /**, muted: true }, { match: GET /a, critical: true }]\n';
    const result = loadConfig(file(`{}\n---\n${slo}${endpoints}`), {});
    expect('warnings' in result ? result.warnings.map(({ path, line }) => [path, line]) : []).toEqual([
      ['spec.canary.strictness', 9],
      ['spec.canary.endpoints[1].match', 10],
    ]);
  });

  it('allows eight latency limits on each endpoint, not in each file', () => {
    const limits = (from: number, to: number): string =>
      Array.from({ length: to - from + 1 }, (_, i) => `{ latency: p95 < ${from + i}00ms }`).join(', ');
    const slo = (third: string): string =>
      `{}\n---\napiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec:\n  service: a\n  objectives: [${limits(1, 5)}]\n` +
      `  perEndpoint:\n    - { match: GET /a*, objectives: [${limits(6, 8)}] }\n    - { match: "${third}", objectives: [${limits(9, 11)}] }\n`;
    expect(problemsOf(file(slo('POST /**')))).toEqual([]);
    expect(problemsOf(file(slo('GET /*b')))).toMatchObject([{ path: 'spec.perEndpoint[1].objectives[0]', line: 11 }]);
  });

  it('finds mistakes of sound sections next to broken ones', () => {
    const problems = problemsOf(file('api: { host: 0.0.0.0 }\ntelemetry: { logLevel: loud }\n'));
    expect(problems.map((problem) => problem.path)).toEqual(['api.host', 'telemetry.logLevel']);
  });

  it('says nothing about classes that a broken file may declare', () => {
    mkdirSync(join(folder, 'slos'), { recursive: true });
    file('apiVersion: slipstream.dev/v1\nkind: Defaults\nmetadata: { name: a }\nspec: { colour: red }\n', 'slos/defaults.yaml');
    file(
      'apiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec: { service: a, perEndpoint: [{ match: /, class: fast }] }\n',
      'slos/a.yaml',
    );
    expect(problemsOf(file('slos: [slos/]\n')).map((problem) => problem.path)).toEqual(['spec.colour']);
  });
});

describe('secrets', () => {
  const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const hook = (source: string): string => `sinks: [{ type: webhook, name: hook, url: "https://example.com/x", secrets: [${source}] }]\n`;

  it('come from the environment or a file, whose last line break does not count', () => {
    file(`${SECRET}\n`, 'hook-secret');
    for (const source of ['{ env: HOOK }', '{ file: hook-secret }', `{ file: "${join(folder, 'hook-secret')}" }`]) {
      const [sink] = loaded(file(hook(source)), { HOOK: SECRET }).sinks;
      expect(sink?.type === 'webhook' && sink.secrets[0]?.reveal()).toBe(SECRET);
    }
  });

  it('are watched where they are files', () => {
    expect(loaded(file(hook('{ file: hook-secret }'))).files).toContain(join(folder, 'hook-secret'));
  });

  it.each([
    ['{ env: NOWHERE }', 'the environment variable NOWHERE is not set'],
    ['{ env: EMPTY }', 'this secret is empty'],
    ['{ env: SHORT }', 'this is no signing secret'],
    ['{ env: PLAIN }', 'this is no signing secret'],
    ['{ file: nowhere }', 'the file of this secret cannot be read (ENOENT)'],
    ['{ env: HOOK, file: nowhere }', 'a secret has one source'],
    ['{ vault: x }', 'a secret has one source'],
  ])('that cannot be used are problems: %s', (source, message) => {
    const env = { EMPTY: '', SHORT: `whsec_${Buffer.alloc(8).toString('base64')}`, PLAIN: 'correct-horse-battery-staple', HOOK: SECRET };
    const problems = problemsOf(file(hook(source)), env);
    expect(problems).toMatchObject([{ path: 'sinks[0].secrets[0]', line: 1, message }]);
    expect(renderProblems(problems)).not.toMatch(/correct-horse|whsec_A/);
  });

  it('that are tokens must be long enough and fit a header', () => {
    for (const TOKEN of ['short', 'long enough but with spaces']) {
      expect(problemsOf(file('api: { token: { env: TOKEN } }\n'), { TOKEN })).toMatchObject([{ path: 'api.token' }]);
    }
  });

  it('are not shown when a configuration is printed', () => {
    const config = loaded(file(`api: { token: { env: TOKEN } }\n${hook('{ env: HOOK }')}`), {
      HOOK: SECRET,
      TOKEN: 'correct-horse-battery',
    });
    expect(inspect(config, { depth: 10 }) + JSON.stringify(config)).not.toMatch(/correct-horse|whsec_/);
  });
});

describe('a file that cannot be a configuration', () => {
  it.each([
    ['too large', () => file(`# ${'x'.repeat(MAX_FILE_BYTES)}\n`), 'larger than a configuration can be'],
    ['nested too deeply', () => file('['.repeat(200_000)), ''],
    ['not UTF-8', () => file(new Uint8Array([0xff, 0xfe, 0x41])), 'not UTF-8 text'],
    ['absent', () => join(folder, 'absent.yaml'), 'does not exist'],
    ['a folder', () => folder, 'not a file'],
    ['empty', () => file('# nothing\n'), 'no process document'],
    ['a text', () => file('hello\n'), '`hello` has the wrong type'],
    ['a prototype', () => file('__proto__: { api: 1 }\n'), 'there is no such option here'],
  ])('because it is %s is a problem, not a crash', (_, make, message) => {
    const problems = problemsOf(make());
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.message).toContain(message);
  });

  it('may hold at most 100 aliases worth of content, and a few are fine', () => {
    expect(loaded(file('slos: &none []\nspans: { limits: { depth: 3 } }\nsinks: *none\n')).sinks).toEqual([]);
  });
});
