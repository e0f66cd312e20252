/** What the demo and the deploy system say to each other over IPC, besides the deploy system's events. */
import type { RunWire } from '../../src/api/schemas.ts';

export type DeployCommand = { readonly kind: 'slipstream'; readonly url: string } | { readonly kind: 'stop' };

export type DeployReport =
  | { readonly kind: 'listening'; readonly url: string }
  /** Slipstream judges now; the rollout is as it understood it. */
  | { readonly kind: 'run_started'; readonly rollout: RunWire['rollout'] };
