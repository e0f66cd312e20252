/** What an image says about how it is run. */
import { assignments, execForm, expanded, fail, type Instruction } from './dockerfile.ts';

export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  readonly volumes: readonly string[];
  readonly healthcheck: Healthcheck | null;
}

export interface Healthcheck {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
}

export const EMPTY_CONFIG: ImageConfig = {
  env: {},
  entrypoint: [],
  command: [],
  workingDirectory: '/',
  user: '0:0',
  labels: {},
  ports: [],
  volumes: [],
  healthcheck: null,
};

/** The config after an instruction that only says something; `values` are the arguments and variables known there. */
export function configured(config: ImageConfig, instruction: Instruction, values: ReadonlyMap<string, string>): ImageConfig {
  const words = expanded(instruction.rest, values).split(/\s+/);
  const pairs = () => Object.fromEntries(assignments(instruction).map(([name, value]) => [name, expanded(value, values)]));
  switch (instruction.name) {
    case 'ENV':
      return { ...config, env: { ...config.env, ...pairs() } };
    case 'LABEL':
      return { ...config, labels: { ...config.labels, ...pairs() } };
    case 'USER':
      if (!/^\d+:\d+$/.test(instruction.rest)) fail(instruction, 'wants numbers, as Kubernetes can only tell by them that it is not root');
      return { ...config, user: instruction.rest };
    case 'VOLUME':
      return { ...config, volumes: [...config.volumes, ...words] };
    case 'EXPOSE':
      return { ...config, ports: [...config.ports, ...words.map(Number)] };
    case 'ENTRYPOINT':
      return { ...config, entrypoint: execForm(instruction), command: [] };
    case 'CMD':
      return { ...config, command: execForm(instruction) };
    case 'HEALTHCHECK':
      return { ...config, healthcheck: healthcheckOf(instruction) };
    case 'FROM':
    case 'ARG':
    case 'WORKDIR':
    case 'COPY':
    case 'RUN':
      return fail(instruction, 'does more than say something');
    default:
      return instruction.name satisfies never;
  }
}

function healthcheckOf(instruction: Instruction): Healthcheck {
  const { interval = '30s', timeout = '30s', 'start-period': startPeriod = '0s', ...unknown } = instruction.flags;
  const [, text] = /^CMD\s+(.*)$/.exec(instruction.rest) ?? [];
  if (text === undefined || Object.keys(unknown).length > 0) fail(instruction, 'wants known flags and CMD');
  const milliseconds = (value: string) => Number(/^(\d+)s$/.exec(value)?.[1] ?? fail(instruction, `wants seconds, not ${value}`)) * 1000;
  return {
    command: execForm(instruction, text),
    intervalMs: milliseconds(interval),
    timeoutMs: milliseconds(timeout),
    startPeriodMs: milliseconds(startPeriod),
  };
}
