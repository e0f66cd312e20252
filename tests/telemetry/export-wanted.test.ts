/** Which `OTEL_*` settings switch the exporters on. */
import { expect, it } from 'vitest';
import { exportWanted } from '../../src/telemetry/otlp-export.ts';

it.each([
  ['nothing is set', {}, false, false],
  ['an endpoint is set', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' }, true, true],
  ['only the endpoint of traces is set', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4317' }, true, false],
  [
    'an endpoint is set but metrics are not wanted',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317', OTEL_METRICS_EXPORTER: 'none' },
    true,
    false,
  ],
  ['only the exporter of traces is named', { OTEL_TRACES_EXPORTER: 'otlp' }, true, false],
  ['both are none', { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }, false, false],
  ['the SDK is disabled', { OTEL_SDK_DISABLED: 'TRUE', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' }, false, false],
  ['the endpoint is blank', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false, false],
])('when %s', (_name, env, traces, metrics) => {
  expect(exportWanted(env)).toEqual({ traces, metrics });
});
