/** Completes a signal by what only the shell knows, before it is journalled: its bytes never change after that. */
import type { Signal } from '../model/rollout.ts';
import { isWithheld } from '../model/withheld.ts';
import type { Sink } from '../sinks/sink.ts';

type Addressee = Pick<Sink, 'actions' | 'kinds'>;

/**
 * Adds the page that explains it, and leaves out sinks that can do nothing with its action or its target; a name that no sink has stays, so that it shows. Of a
 * rollback it keeps which of the policy's sinks are told once it was done. Of a rollback that the guard withholds those who are told of trouble (`escalateTo`)
 * are told as well: nothing else may say to a person that a bad release serves on.
 */
export function addressing(
  sinks: ReadonlyMap<string, Addressee>,
  publicUrl: string | null,
  escalateTo: readonly string[] = [],
): (signal: Signal) => Signal {
  return (signal) => {
    const toldAfter = signal.action === 'rollback' ? signal.sinks.filter((name) => sinks.get(name)?.actions.has('rolled_back')) : [];
    return {
      ...signal,
      link: publicUrl === null ? null : `${publicUrl}/v1/rollouts/${encodeURIComponent(signal.rolloutId)}/explanation`,
      sinks: [...new Set([...meant(signal, sinks), ...(isWithheld(signal) ? escalateTo : [])])],
      ...(toldAfter.length === 0 ? {} : { toldAfter }),
    };
  };
}

/** When no sink is left that could do something with the target, they all stay: what cannot act declines, and that shows, where nothing at all would not. */
function meant(signal: Signal, sinks: ReadonlyMap<string, Addressee>): readonly string[] {
  const able = signal.sinks.filter((name) => sinks.get(name)?.actions.has(signal.action) ?? true);
  const acting = able.filter((name) => {
    const kinds = sinks.get(name)?.kinds;
    return kinds === undefined || (signal.target !== null && kinds.has(signal.target.kind));
  });
  return acting.length === 0 ? able : acting;
}
