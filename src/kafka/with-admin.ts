/** Questions to the brokers, each with an end. */
import type { Admin, Kafka } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import { kafkaFailure, kafkaReason } from './kafka-errors.ts';
import { within } from './time-limit.ts';

const LIMIT_MS = 30_000;
/** In all about six seconds; connecting is tried as the client has it. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 1000, retries: 10 } as const;

interface Shared {
  readonly connected: Promise<Admin>;
  users: number;
}

/** Connections in use or on their way. One a client: with no broker there, each would try for as long as that lasts. */
const shared = new WeakMap<Kafka, Shared>();

/** `asking` says what for, as errors begin: "reading the offsets of x". Throws a RetryableError, or a PermanentError when the broker refuses for good. */
export async function withAdmin<T>(
  client: Kafka,
  asking: string,
  act: (admin: Admin) => Promise<T>,
  limitMs: DurationMs = LIMIT_MS,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  const connection = shared.get(client) ?? connect(client);
  connection.users++;
  try {
    const admin = await within(connection.connected, limitMs);
    return await within(act(admin), endMs - performance.now());
  } catch (error) {
    if (error instanceof PermanentError || error instanceof RetryableError) throw error;
    const message = `${asking}: ${kafkaReason(error)}`;
    if (kafkaFailure(error) === 'refused') throw new PermanentError('kafka_refused', message, { cause: error });
    throw new RetryableError('kafka_unanswered', message, { cause: error });
  } finally {
    connection.users--;
    connection.connected.then(
      () => release(client, connection),
      () => {},
    );
  }
}

function connect(client: Kafka): Shared {
  const admin = client.admin({ retry: RETRY });
  const connection: Shared = { connected: admin.connect().then(() => admin), users: 0 };
  shared.set(client, connection);
  connection.connected.catch(() => {
    if (shared.get(client) === connection) shared.delete(client);
    admin.disconnect().catch(() => {});
  });
  return connection;
}

function release(client: Kafka, connection: Shared): void {
  if (connection.users > 0 || shared.get(client) !== connection) return;
  shared.delete(client);
  connection.connected.then((admin) => admin.disconnect()).catch(() => {});
}
