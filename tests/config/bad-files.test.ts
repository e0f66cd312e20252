/** One fixture for each mistake people make: every one is found at its place, with the name that was meant. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderProblems } from '../../src/config/problem.ts';
import { validateFiles } from '../../src/config/validate-files.ts';

const FOLDER = join(import.meta.dirname, 'fixtures/bad');

/** File, line:column, JSON path, part of the message, suggestion. */
const MISTAKES: readonly [string, string, string, string, string | undefined][] = [
  ['a-list', '1:1', '', 'a list has the wrong type', undefined],
  ['alias-bomb', '6:44', '', 'aliases repeat content more than 100 times:', undefined],
  ['bad-code-class', '8:33', 'spec.objectives[0].bad[0]["http.status_code"]', '`5xx`: `5xx`: classes of codes are known of', undefined],
  ['bad-of-latency', '8:12', 'spec.objectives[0].bad', 'own `bad` is for `availability` and `errorRate`', undefined],
  ['bad-span-status', '8:28', 'spec.objectives[0].bad[0]["span.status"]', '`errror`: `errror`: no `span.status`', 'error'],
  ['baseline-shift', '7:15', 'spec.canary.baseline', '`previous` takes no time', 'previous'],
  ['calendar-too-long', '6:11', 'spec.window', 'a period is at most 365 days long', undefined],
  [
    'contract-decimal-comma',
    '6:15',
    'spec.objectives',
    '`99,9 % available, p95 < 500ms`: part 1 (`99,9`, column 1): a comma separates parts; decimals have a dot',
    '99.9%',
  ],
  [
    'contract-on-endpoint-of-match',
    '8:19',
    'spec.perEndpoint[0].objectives',
    '`on GET /cart`: the endpoint is said by `match` already',
    undefined,
  ],
  [
    'contract-with-unknown-part',
    '7:7',
    'spec.objectives[0]',
    '`p95 < 500ms, troughput > 10/s`: part 2 (`troughput > 10/s`, column 14): not an objective',
    'throughput > 10/s',
  ],
  ['criterion-and-tolerance', '9:16', 'spec.canary.criteria[0]', '`p99 <= +10%` says what `tolerances.p99.harm`', undefined],
  ['criterion-lower-limit', '7:16', 'spec.canary.criteria[0]', 'a criterion is what a good canary keeps', 'p95 <= 500ms'],
  ['criterion-of-availability', '7:16', 'spec.canary.criteria[0]', 'say how many requests may fail', 'errors < 0.5%'],
  ['criterion-of-muted-check', '9:16', 'spec.canary.criteria[0]', '`checks.p99` is muted, so nothing is compared', undefined],
  [
    'criterion-percent-of-errors',
    '7:16',
    'spec.canary.criteria[0]',
    '`%` is relative to the baseline’s own error rate',
    'errors <= +0.1pp',
  ],
  ['criterion-relative-for-endpoint', '8:9', 'spec.canary.criteria[0]', 'holds for all endpoints alike', undefined],
  ['criterion-twice', '7:29', 'spec.canary.criteria[1]', '`p95 < 300ms` and `p95 < 500ms` are about the same', undefined],
  ['criterion-typo-in-entry', '8:9', 'spec.canary.criteria[0]', 'there is no option `mach` here', 'match'],
  ['criterion-without-sign', '7:16', 'spec.canary.criteria[0]', '`p99 <= 10%`: a share of the baseline is a', 'p99 <= +10%'],
  ['criterion-without-unit', '7:16', 'spec.canary.criteria[0]', '`p95 < 500`: the limit `500`: the unit is missing', 'p95 < 500ms'],
  ['critical-and-muted', '8:15', 'spec.canary.checks.errors', 'what is muted is not judged, so it can never be', undefined],
  ['duplicate-key', '3:3', '', 'this key is there twice; the second would', undefined],
  ['duplicate-objective', '8:7', 'spec.objectives[1]', 'checkout has another objective named', undefined],
  ['duplicate-service', '11:12', 'spec.service', 'another document is about `checkout`', undefined],
  ['duplicate-sink', '3:26', 'sinks[1].name', 'another sink is named `out`', undefined],
  ['empty-section', '1:1', 'state', '`state` has no value', undefined],
  ['endpoint-without-setting', '8:9', 'spec.canary.endpoints[0]', 'needs `weight`, `critical` or `muted`', undefined],
  ['error-rate-of-zero', '7:18', 'spec.objectives[0].errorRate', '`< 0%`: an error rate of 0% leaves no error', '< 0.1%'],
  ['error-rate-without-sign', '7:18', 'spec.objectives[0].errorRate', '`0.1%`: an error rate needs its `<`', '< 0.1%'],
  ['every-endpoint-muted', '8:7', 'spec.canary.endpoints', 'every endpoint is muted, so nothing would ever be', undefined],
  ['everything-muted', '7:13', 'spec.canary.checks', 'every check is muted, so nothing would ever be', undefined],
  ['exclusion-backwards', '7:60', 'spec.exclusions[0].to', 'it ends before it begins', undefined],
  ['exclusion-rule-typo', '7:36', 'spec.exclusions[0].rrule', '`FREQ=WEKLY`: `FREQ=WEKLY`: not a value of it', 'FREQ=WEEKLY'],
  ['exclusion-twice', '8:15', 'spec.exclusions[1].name', 'another exclusion is named `x`', undefined],
  ['exclusion-without-duration', '7:7', 'spec.exclusions[0]', 'an exclusion has either `rrule`, `start` and', undefined],
  ['gate-refuses-before-it-warns', '6:40', 'spec.gate.refuseBelow', 'a deploy would be refused before it is warned of', undefined],
  ['gate-share-without-sign', '6:22', 'spec.gate.warnBelow', '`0.25`: the `%` is missing, so it could be a', '25%'],
  ['good-of-throughput', '8:38', 'spec.objectives[0].timeslices.good', '`99%`: a slice is good by its throughput or its', undefined],
  ['half-a-track', '7:12', 'spec.canary.track', '`canary` and `baseline` go together', undefined],
  ['healthy-within-harm', '8:35', 'spec.canary.tolerances.p95.healthy', 'what counts as healthy is not beyond what is', undefined],
  ['in-flight-lower-limit', '7:17', 'spec.objectives[0].inFlight', '`> 200`: a limit of requests in flight is an', '< 200'],
  ['inline-token', '2:10', 'api.token', 'a secret is never written into a configuration', undefined],
  ['inline-webhook-secret', '5:15', 'sinks[0].secrets[0]', 'a secret is never written into a configuration', undefined],
  ['kafka-broker-without-port', '2:13', 'kafka.brokers[0]', '`kafka-0.example.com`: the port is missing', 'kafka-0.example.com:9092'],
  ['kafka-inline-password', '3:61', 'kafka.sasl.password', 'a secret is never written into a configuration', undefined],
  ['kafka-same-topic-twice', '3:20', 'kafka.topics.state', '`deltas` has this topic already', undefined],
  ['kafka-slow-pattern', '5:14', 'receivers.kafka.topics[0]', '`^(a+)+$`: `)+` cannot be part of it', undefined],
  ['kafka-without-broker', '2:21', 'receivers.kafka.enabled', 'no broker to read from is named', undefined],
  ['kafka-without-tls', '2:13', 'kafka.brokers[0]', 'nothing protects what goes to this broker', undefined],
  ['latency-lower-limit', '7:16', 'spec.objectives[0].latency', '`p95 > 500ms`: a latency objective is an upper', 'p95 < 500ms'],
  ['latency-p999', '7:16', 'spec.objectives[0].latency', '`p999 < 500ms`: there is no percentile 999', 'p99.9 < 500ms'],
  ['latency-without-percentile', '7:16', 'spec.objectives[0].latency', '`500ms`: the percentile is missing', 'p95 < 500ms'],
  ['latency-without-unit', '7:16', 'spec.objectives[0].latency', '`p95 < 500`: the limit `500`: the unit is missing', 'p95 < 500ms'],
  ['latency-wrong-unit', '7:16', 'spec.objectives[0].latency', '`p95 < 500msec`: the limit `500msec`: there is', 'p95 < 500ms'],
  ['merge-key', '5:3', 'spec["<<"]', 'YAML merge keys (`<<`) are not supported', undefined],
  ['mean-of-throughput', '8:38', 'spec.objectives[0].timeslices.good', '`mean`: a slice is good by its throughput or its', undefined],
  ['missing-kind', '1:1', 'kind', '`kind` is missing', undefined],
  ['missing-service', '5:3', 'spec.service', '`service` is missing', undefined],
  ['negative-burn-rate', '7:18', 'spec.canary.maxBurnRate', '`-1` is too small', undefined],
  ['negative-tolerance', '8:20', 'spec.canary.tolerances.p95.harm', '`-10%`: a canary is never asked to be better', '+10%'],
  ['nine-latency-limits', '18:11', 'spec.perEndpoint[0].objectives[0]', 'more than 8 different latency limits for `GET /x`', undefined],
  ['nothing-there', '1:8', 'slos[0]', '`nowhere/` does not exist', undefined],
  ['objectives-as-number', '6:15', 'spec.objectives', '`99.9` has the wrong type', undefined],
  ['open-api', '1:14', 'api.host', 'others can reach this address, and no token is', undefined],
  ['open-receiver', '2:21', 'receivers.otlpGrpc.host', 'others can reach this address, and nothing is', undefined],
  ['open-receiver-with-tls-only', '2:21', 'receivers.otlpGrpc.host', 'others can reach this address, and nothing is', undefined],
  ['openslo', '4:7', 'spec', 'SLO `checkout`: `indicator` is missing', undefined],
  ['password-in-url', '4:10', 'sinks[0].url', 'a URL with a password in it ends in logs', undefined],
  ['percent-as-ratio', '7:21', 'spec.objectives[0].availability', '`0.999`: the `%` is missing, so it could be a', '99.9%'],
  ['percent-for-points', '8:23', 'spec.canary.tolerances.errors.harm', '`+10%`: `%` would be relative to the baseline;', undefined],
  ['percent-without-sign', '7:21', 'spec.objectives[0].availability', '`99.9`: the `%` is missing, so it could be a', '99.9%'],
  ['port-as-text', '2:9', 'api.port', '`http` has the wrong type', undefined],
  ['port-too-large', '2:9', 'api.port', '`70000` is too large', undefined],
  ['promote-after-the-end', '6:44', 'spec.canary.minPromote', 'a run would end before it could be promoted', undefined],
  ['rollback-without-sink', '8:19', 'spec.canary.mode', 'with mode `rollback` signals leave, and there', undefined],
  ['same-port-twice', '1:14', 'api.port', 'port 4317 is taken by another listener here', undefined],
  ['secret-as-env-name', '2:10', 'api.token', 'not the name of an environment variable', undefined],
  ['short-signal-ttl', '7:16', 'spec.canary.signalTtl', '`30s`: shorter than 2m', undefined],
  ['size-in-mb', '2:15', 'receivers.maxRequest', '`64MB`: there is no unit `MB`', '64MiB'],
  ['slice-of-seven-minutes', '6:24', 'spec.timeslices.slice', '`7m`: a slice is a multiple of 10 s that', undefined],
  ['source-with-space', '6:18', 'sinks[0].eventSource', '`cluster a` has the wrong form', undefined],
  ['tabs', '2:1', '', 'a tab cannot indent YAML; use spaces', undefined],
  ['target-of-100-percent', '7:21', 'spec.objectives[0].availability', '`100%`: an objective of 100% leaves no error', '99.9%'],
  ['target-of-availability', '7:38', 'spec.objectives[0].target', '`99%`: the target is in the text already;', undefined],
  ['throughput-without-sign', '7:19', 'spec.objectives[0].throughput', '`10/s`: a throughput needs its `>` or `<`', '> 10/s'],
  [
    'tier-that-never-fires',
    '6:15',
    'spec.objectives',
    '`availability`: the tier of 2% in 1h can never fire: a total outage burns at 10, and the tier asks for more than 14.4',
    undefined,
  ],
  ['tier-with-long-short', '7:48', 'spec.alerts.tiers[0].short', '`2h`: `short` must be shorter than `long`', undefined],
  ['tiers-and-preset', '7:5', 'spec.alerts', 'own `tiers` take the place of a `preset`: one', undefined],
  ['time-zone-as-offset', '6:40', 'spec.window.timeZone', '`+01:00`: an offset does not follow summer time', undefined],
  ['tls-of-receivers-with-ca', '2:47', 'receivers.tls.caFile', 'there is no such option here', undefined],
  ['tls-without-key', '2:8', 'receivers.tls.keyFile', 'is missing', undefined],
  ['token-of-senders-inline', '2:10', 'receivers.token', 'a secret is never written into a configuration', undefined],
  ['trend-without-capacity', '7:7', 'spec.trends[0]', '`inFlight` and `capacity` go together', undefined],
  ['trend-without-day', '7:31', 'spec.trends[0].growth', '`5%`: the time is missing', '5%/d'],
  ['two-defaults', '7:7', 'kind', 'another document is `Defaults` already', undefined],
  ['two-processes', '3:1', '', 'a second process document', undefined],
  ['two-slis-in-one', '7:7', 'spec.objectives[0]', 'an objective is one of `latency`,', undefined],
  ['typo-in-objective', '7:7', 'spec.objectives[0].latncy', 'there is no such option here', 'latency'],
  ['typo-in-process', '2:3', 'receivers.otlpGrp', 'there is no such option here', 'otlpGrpc'],
  ['typo-in-section', '6:3', 'spec.objectivs', 'there is no such option here', 'objectives'],
  ['unclosed-bracket', '2:1', '', 'the indentation does not fit, or a bracket', undefined],
  ['unclosed-quote', '2:9', '', 'a quote or bracket is not closed, or a space', undefined],
  ['unknown-alias', '1:8', '', 'this alias has no anchor before it', undefined],
  ['unknown-api-version', '1:13', 'apiVersion', '`slipstream.dev/v2` is not known here', 'slipstream.dev/v1'],
  ['unknown-baseline', '7:15', 'spec.canary.baseline', '`previuos`: not known here', 'previous'],
  ['unknown-calendar', '6:23', 'spec.window.calendar', '`monthly` is not known here', 'month'],
  ['unknown-check', '8:7', 'spec.canary.checks.p90', 'there is no such option here', 'p50'],
  ['unknown-class', '16:30', 'spec.perEndpoint[0].class', 'there is no class `interactiv`', 'interactive'],
  ['unknown-kind', '2:7', 'kind', '`ServiceObjective` is not known here', 'ServiceObjectives'],
  ['unknown-option', '6:3', 'spec.colour', 'there is no such option here', undefined],
  ['unknown-preset-of-spans', '7:15', 'spec.spans.exclude[0]', '`healthcheck` is not known here', 'healthChecks'],
  ['unknown-sink', '10:13', 'spec.canary.sinks[0]', 'there is no sink `deploier`', 'deployer'],
  ['unknown-status', '2:22', 'spans.statusTreatment.CANCELED', 'this is no status', 'CANCELLED'],
  ['unknown-time-zone', '6:40', 'spec.window.timeZone', '`Lisbon`: there is no such time zone', 'Europe/Lisbon'],
  ['unquoted-greater', '7:23', '', 'a value that starts with `>` needs quotes:', undefined],
  ['untracked-attribute', '9:18', 'spec.canary.track.by', '`service.versoin` does not tell releases', 'service.version'],
  ['weight-of-zero', '8:22', 'spec.canary.checks.p50.weight', '`0`: what has no weight is not judged', 'muted: true'],
  ['where-without-bad', '8:14', 'spec.objectives[0].where', '`where` needs `bad` beside it', undefined],
  ['window-as-a-word', '6:11', 'spec.window', '`monthly`: not a duration', '{ calendar: month }'],
  ['window-in-months', '6:11', 'spec.window', '`1M`: `M` could be minutes (`m`) or months (`30d`)', undefined],
  ['window-start-that-is-none', '6:37', 'spec.window.start', '`2026-02-30T00:00:00`: there is no such day or', undefined],
  ['window-start-with-zone', '6:37', 'spec.window.start', '`2026-01-01T00:00:00Z`: the zone is said by', '2026-01-01T00:00:00'],
  ['window-too-long', '6:11', 'spec.window', '`365d`: longer than 92d', undefined],
  ['window-without-unit', '6:11', 'spec.window', '`28`: the unit is missing', '28d'],
];

describe('a configuration with a mistake', () => {
  it.each(MISTAKES)('%s: %s %s, %s', (name, place, path, message, suggestion) => {
    const file = join(FOLDER, `${name}.yaml`);
    const { problems } = validateFiles([file]);
    expect(problems).toHaveLength(1);
    const [problem] = problems;
    expect(problem).toMatchObject({ file, path });
    expect(`${problem?.line}:${problem?.column}`).toBe(place);
    expect(problem?.message).toContain(message);
    expect(problem?.suggestion).toBe(suggestion);
  });

  it('is in the table for each fixture', () => {
    const names = readdirSync(FOLDER).map((file) => file.replace('.yaml', ''));
    expect(MISTAKES.map(([name]) => name).sort()).toEqual(names.sort());
  });

  it('is reported together with all others, in the order of files and lines', () => {
    const { problems } = validateFiles([FOLDER]);
    expect(problems.length).toBeGreaterThanOrEqual(MISTAKES.length);
    const perFile = Map.groupBy(problems, (problem) => problem.file);
    for (const found of perFile.values()) {
      const lines = found.map((problem) => problem.line);
      expect(lines).toEqual([...lines].sort((a, b) => a - b));
    }
  });

  it('never shows a secret that lies where secrets do not belong', () => {
    const { problems } = validateFiles([FOLDER]);
    expect(JSON.stringify(problems) + renderProblems(problems)).not.toMatch(/correct-horse|whsec_Y29/);
  });
});
