/** Two made-up rollouts through stages of their own: a bad canary must lead to a rollback that is addressed and rendered, a healthy one must not. */
import { randomBytes } from 'node:crypto';
import { setImmediate as breath } from 'node:timers/promises';
import { Secret } from '../../config/secret.ts';
import type { Signal } from '../../model/rollout.ts';
import { messageOf } from '../../sinks/message.ts';
import type { Sink } from '../../sinks/sink.ts';
import { WebhookSink } from '../../sinks/webhook-sink.ts';
import { addressing } from '../addressing.ts';
import type { Clock } from '../clock.ts';
import type { Finding, WatchdogCheck } from './finding.ts';
import { type StoryKind, type StoryStages, tellStory } from './story.ts';
import { STORY_SINK } from './story-config.ts';

export interface StoryCheckParts {
  /** New ones for each story. */
  stages(): StoryStages;
  readonly clock: Pick<Clock, 'now'>;
  /** See `ApiConfig`. */
  readonly publicUrl: string | null;
  /** Where its signals end; left out: a webhook that signs them and sends nothing. */
  readonly sink?: Sink;
}

export function storyCheck({ stages, clock, publicUrl, sink = silentWebhook(clock) }: StoryCheckParts): WatchdogCheck {
  const address = addressing(new Map([[sink.name, sink]]), publicUrl);
  const findings = async (kind: StoryKind): Promise<readonly Finding[]> => {
    const told = tellStory(kind, stages(), clock.now());
    if (told.signal === null) return told.findings;
    return [...told.findings, { part: 'signal', fault: await faultOfSignal(address(told.signal), sink, clock) }];
  };
  return {
    part: 'decide',
    look: async () => {
      const bad = await findings('bad');
      // Spans that came meanwhile go first.
      await breath();
      return worstOf([...bad, ...(await findings('healthy'))]);
    },
  };
}

/** What a stage made wrong of one story is not made good by the other. */
function worstOf(findings: readonly Finding[]): readonly Finding[] {
  const byPart = new Map<Finding['part'], Finding>();
  for (const finding of findings) if ((byPart.get(finding.part)?.fault ?? null) === null) byPart.set(finding.part, finding);
  return [...byPart.values()];
}

async function faultOfSignal(signal: Signal, sink: Sink, clock: Pick<Clock, 'now'>): Promise<string | null> {
  const about = `the signal of a made-up canary (${signal.action})`;
  try {
    if (!signal.sinks.includes(sink.name))
      return `${about} should go to its sink, and is addressed to ${signal.sinks.join(', ') || 'none'}`;
    const message = messageOf(signal, clock.now());
    const { type, data } = JSON.parse(message.body) as { type?: unknown; data?: { id?: unknown; action?: unknown } };
    if (type !== `slipstream.signal.${signal.action}` || data?.id !== signal.id || data?.action !== signal.action)
      return `${about} is rendered as something else`;
    const receipt = await sink.deliver(message, { abort: new AbortController().signal, mayStillAct: () => true });
    return receipt === 'dry_run' ? null : `${about} should go nowhere, and is ${receipt}`;
  } catch (error) {
    return `${about} cannot be rendered: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function silentWebhook(clock: Pick<Clock, 'now'>): Sink {
  return new WebhookSink(
    {
      type: 'webhook',
      name: STORY_SINK,
      isDryRun: true,
      url: 'http://localhost/',
      timeoutMs: 1_000,
      networks: null,
      secrets: [new Secret(`whsec_${randomBytes(32).toString('base64')}`)],
      signingKeys: [],
      format: 'standard',
      eventSource: '/slipstream',
      environment: 'watchdog',
      awaitsOutcome: false,
    },
    clock.now,
  );
}
