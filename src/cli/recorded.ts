/** Reads a recording of spans through stage A, as it would have been counted live, whatever the order and the age of its spans. */
import type { Config } from '../config/config.ts';
import { Recording } from '../engine/recording.ts';
import { Ingest } from '../ingest.ts';
import { PermanentError } from '../model/errors.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import { readSpanFile, spanFileProblemText } from '../receivers/file.ts';
import type { CliContext } from './context.ts';
import { ProgressBar } from './progress-bar.ts';

/** Spans between two flushes; small beside the recording, large beside a request. */
const FLUSH_SPANS = 65_536;

export interface Recorded {
  readonly recording: Recording;
  readonly file: string;
  readonly spans: number;
  readonly rejectedSpans: number;
  readonly problems: number;
}

type RecordedConfig = Pick<Config, 'histogram' | 'series' | 'spans' | 'policies' | 'receivers'>;

/** `-` is standard input. Throws PermanentError when nothing can be read, or when no span in it is a request. */
export async function readRecording(context: CliContext, path: string, config: RecordedConfig): Promise<Recorded> {
  const { streams } = context;
  const ingest = ingestFor(config);
  const recording = new Recording(new HistogramLayout(config.histogram.digits, config.histogram.highestUs));
  const progress = new ProgressBar(streams.stderr, `reading ${path}`);
  let spans = 0;
  let rejectedSpans = 0;
  const read = await readSpanFile({
    path,
    ...(path === '-' && { input: streams.stdin as AsyncIterable<Uint8Array> }),
    maxRequestBytes: config.receivers.maxRequestBytes,
    onRequest: (encoding, bytes) => {
      const outcome = ingest.consume(encoding, bytes, 0);
      if (outcome.kind === 'accepted') {
        spans += outcome.accepted + outcome.rejected;
        rejectedSpans += outcome.rejected;
      }
      if (ingest.pending >= FLUSH_SPANS) recording.add(ingest.flush());
      return outcome;
    },
    onProblem: (problem) => progress.note(spanFileProblemText(problem)),
    onProgress: ({ bytesRead, totalBytes }) => progress.show(bytesRead, totalBytes),
  });
  recording.add(ingest.flush());
  progress.end();
  const file = path === '-' ? '(standard input)' : path;
  if (read.requests === 0) throw new PermanentError('no_spans', `reading spans from ${file}: nothing in it could be read as OTLP spans`);
  if (recording.services.length === 0) {
    const message = `reading spans from ${file}: none of its ${spans} spans is a request that is counted (see \`spans\` in the configuration)`;
    throw new PermanentError('no_requests', message);
  }
  return { recording, file, spans, rejectedSpans, problems: read.problems };
}

/** The clock at which a recording was made is not known, so no span is too old or too new. */
function ingestFor({ histogram, series, spans, policies }: RecordedConfig): Ingest {
  const maxSeriesOf = (service: string) => policies.services.get(service)?.maxSeries ?? policies.fallback.maxSeries;
  return new Ingest({
    rules: { ...spans, maxSkewMs: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY },
    layout: new HistogramLayout(histogram.digits, histogram.highestUs),
    source: 'recording',
    epoch: 'recording',
    series: {
      ...series,
      nameBytes: spans.limits.nameBytes,
      hashSeed: 0,
      maxSeriesOf,
      thresholdsOf: () => [],
      isReserved: () => false,
    },
  });
}
