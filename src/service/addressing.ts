/** Completes a signal by what only the shell knows, before it is journalled: its bytes never change after that. */
import type { Signal } from '../model/rollout.ts';
import type { Sink } from '../sinks/sink.ts';

/**
 * Adds the page that explains it, and leaves out sinks that can do nothing with its action; a name that no sink has stays, so that it shows. Of a rollback it keeps
 * which of the policy's sinks are told once it was done.
 */
export function addressing(sinks: ReadonlyMap<string, Pick<Sink, 'actions'>>, publicUrl: string | null): (signal: Signal) => Signal {
  return (signal) => {
    const toldAfter = signal.action === 'rollback' ? signal.sinks.filter((name) => sinks.get(name)?.actions.has('rolled_back')) : [];
    return {
      ...signal,
      link: publicUrl === null ? null : `${publicUrl}/v1/rollouts/${encodeURIComponent(signal.rolloutId)}/explanation`,
      sinks: signal.sinks.filter((name) => sinks.get(name)?.actions.has(signal.action) ?? true),
      ...(toldAfter.length === 0 ? {} : { toldAfter }),
    };
  };
}
