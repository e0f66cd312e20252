/** Probes and hooks of containers: asked as a kubelet asks. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { ContainerProcess } from './container.ts';
import type { PodNetwork } from './network.ts';
import { type Container, type Handler, type Probe, portOf } from './pod-object.ts';

export interface HandlerParts {
  readonly network: PodNetwork;
  readonly address: string;
  readonly container: Container;
  readonly process: ContainerProcess;
  readonly timeoutMs: number;
}

/** Throws when it is refused, answers otherwise than 2xx or 3xx, or takes too long. */
export async function act(handler: Handler, parts: HandlerParts): Promise<void> {
  const { network, address, container, timeoutMs } = parts;
  if (handler.exec !== undefined) {
    await parts.process.exec(handler.exec.command, timeoutMs);
    return;
  }
  const { httpGet } = handler;
  if (httpGet === undefined) throw new Error(`${container.name}: ${Object.keys(handler).join(', ')} is not known to the runner of pods`);
  const status = await answered(httpGet.scheme === 'HTTPS', httpGet.path ?? '/', portOf(container, httpGet.port), {
    network,
    address,
    timeoutMs,
  });
  if (status < 200 || status >= 400) throw new Error(`GET ${httpGet.path}: ${status}`);
}

function answered(
  isTls: boolean,
  path: string,
  port: number,
  { network, address, timeoutMs }: Pick<HandlerParts, 'network' | 'address' | 'timeoutMs'>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const plain = network.dial({ address, port });
    // A kubelet does not check whose certificate it is.
    const socket = isTls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
    const timer = setTimeout(() => failed(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      plain.destroy();
      reject(error);
    };
    socket.once('error', failed);
    plain.once('error', failed);
    plain.once('close', () => failed(new Error('the connection was closed')));
    const options = { path, headers: { host: `${address}:${port}`, connection: 'close' }, createConnection: () => socket };
    const request = (isTls ? requestHttps : requestHttp)(options, (response) => {
      response.resume().once('end', () => {
        clearTimeout(timer);
        plain.destroy();
        resolve(response.statusCode ?? 0);
      });
    });
    request.once('error', failed);
    request.end();
  });
}

export type ProbeState = 'success' | 'failure';

/** Asks again and again until stopped; `onState` hears when as many results as it takes were the same. */
export function keepProbing(
  probe: Probe,
  parts: Omit<HandlerParts, 'timeoutMs'>,
  onState: (state: ProbeState, reason: string) => void,
): { stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let isOn = true;
  let last: ProbeState | null = null;
  let times = 0;
  const turn = async (): Promise<void> => {
    const asked = await act(probe, { ...parts, timeoutMs: probe.timeoutSeconds * 1000 }).then(
      () => null,
      (error: unknown) => String(error),
    );
    if (!isOn) return;
    const state = asked === null ? 'success' : 'failure';
    times = state === last ? times + 1 : 1;
    last = state;
    if (times >= (state === 'success' ? probe.successThreshold : probe.failureThreshold)) onState(state, asked ?? '');
    if (isOn) timer = setTimeout(turn, probe.periodSeconds * 1000);
  };
  timer = setTimeout(turn, (probe.initialDelaySeconds ?? 0) * 1000);
  return {
    stop: () => {
      isOn = false;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
