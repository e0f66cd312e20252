/** Tells people in the cluster, by an Event about an object: what `kubectl describe` shows below it. */
import { createHash } from 'node:crypto';
import { visible } from '../model/safe-text.ts';
import type { EpochMs } from '../model/time.ts';
import { type CallOptions, type KubernetesApi, type KubernetesObject, KubernetesRefusal } from './kubernetes-api.ts';

/** Limits of events.k8s.io/v1 (pkg/apis/core/validation/events.go): a note of 1 kB, other texts of 128 bytes. */
const MAX_NOTE_BYTES = 1_024;
const MAX_TEXT_CHARS = 128;
const MAX_NAME_CHARS = 200;

export interface EventAbout {
  /** With its apiVersion and kind: objects out of lists lack them. */
  readonly about: KubernetesObject & { readonly apiVersion: string; readonly kind: string };
  /** Two Events about the object with the same key are one. */
  readonly key: string;
  readonly type: 'Normal' | 'Warning';
  /** In camel case, for machines: `RolledBack`. */
  readonly reason: string;
  /** What was done or not: `Rollback`. */
  readonly action: string;
  /** For people; shortened to 1 kB. */
  readonly note: string;
  readonly at: EpochMs;
  /** Which of us tells it: the host or the pod. */
  readonly instance: string;
}

/** False: it was there already, and stays as it is. Errors as those of the API. */
export async function createEvent(api: KubernetesApi, event: EventAbout, options: CallOptions): Promise<boolean> {
  const { about, key, type, reason, action, note, at, instance } = event;
  const { name, namespace = 'default', uid = '', resourceVersion } = about.metadata;
  const digest = createHash('sha256')
    .update(JSON.stringify([uid, reason, key]))
    .digest('hex')
    .slice(0, 16);
  try {
    await api.create(
      `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: `${name.slice(0, MAX_NAME_CHARS)}.${digest}`, namespace },
        eventTime: microTime(at),
        reportingController: 'slipstream.dev/slipstream',
        reportingInstance: (instance === '' ? 'unknown' : instance).slice(0, MAX_TEXT_CHARS),
        action: action.slice(0, MAX_TEXT_CHARS),
        reason: reason.slice(0, MAX_TEXT_CHARS),
        type,
        regarding: {
          apiVersion: about.apiVersion,
          kind: about.kind,
          name,
          namespace,
          uid,
          ...(resourceVersion !== undefined && { resourceVersion }),
        },
        note: shortenedNote(visible(note)),
      },
      options,
    );
    return true;
  } catch (error) {
    if (error instanceof KubernetesRefusal && error.status === 409) return false;
    throw error;
  }
}

/** meta/v1 MicroTime. */
export function microTime(at: EpochMs): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

/** To whole characters. */
function shortenedNote(note: string): string {
  if (Buffer.byteLength(note) <= MAX_NOTE_BYTES) return note;
  const kept = Buffer.from(note).subarray(0, MAX_NOTE_BYTES - Buffer.byteLength('…'));
  return `${new TextDecoder().decode(kept, { stream: true })}…`;
}
