/** A real Kafka broker as a child of the demo: fetches what it needs, and ends with the demo however that went. */
import { Broker } from '../kafka/rig/broker.ts';
import { brokerJars } from '../kafka/rig/broker-tools.ts';

export type BrokerReport = { readonly kind: 'ready'; readonly address: string };

const [folder = ''] = process.argv.slice(2);
const jars = await brokerJars(process.env, (line) => void process.stderr.write(`${line}\n`));
const broker = await Broker.start({ jars, folder });
const end = (): void => void broker.stop().finally(() => process.exit(0));
process.on('SIGTERM', end);
process.on('disconnect', end);
process.send?.({ kind: 'ready', address: broker.address } satisfies BrokerReport);
