/** A client whose commits can be made to lose their answer, or to never reach the broker. */
import kafkajs, { type Kafka, type Producer } from 'kafkajs';

/** `lost`: committed, and the answer is lost; `undone`: the broker never hears of it. */
export type CommitFault = 'lost' | 'undone';

/** Each commit takes the first fault of the list away, and suffers it. */
export function withCommitFaults(client: Kafka, faults: CommitFault[]): Kafka {
  return replacing(client, 'producer', (make) => (options) => withFaults(make(options) as Producer, faults));
}

function withFaults(producer: Producer, faults: CommitFault[]): Producer {
  return replacing(
    producer,
    'transaction',
    (begin) => async () =>
      replacing((await begin()) as object, 'commit', (commit) => async () => {
        const fault = faults.shift();
        if (fault !== 'undone') await commit();
        if (fault !== undefined) throw new kafkajs.KafkaJSConnectionError('connection lost', { broker: 'test' });
      }),
  ) as Producer;
}

type Call = (...of: unknown[]) => unknown;

function replacing<T extends object>(target: T, name: string, by: (original: Call) => Call): T {
  const original = (Reflect.get(target, name) as Call).bind(target);
  return new Proxy(target, { get: (of, key) => (key === name ? by(original) : Reflect.get(of, key)) });
}
