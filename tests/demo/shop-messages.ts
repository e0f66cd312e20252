/** What the demo and a shop process say to each other over IPC. */
import type { Behaviour } from './traffic.ts';

export type ShopCommand = { readonly kind: 'behave'; readonly behaviour: Behaviour } | { readonly kind: 'stop' };

export type ShopReport =
  | { readonly kind: 'ready' }
  /** The first request that went wrong because of the release ended at `atMs` (epoch milliseconds). */
  | { readonly kind: 'first_bad'; readonly atMs: number; readonly endpoint: string }
  /** Since start. `refused` stays 0 unless the machine cannot follow. */
  | {
      readonly kind: 'totals';
      readonly spans: number;
      readonly requests: number;
      readonly badRequests: number;
      readonly refused: number;
      readonly cpuMs: number;
    };
