/** What the demo and the deploy system say to each other over IPC, besides the deploy system's events. */

export type DeployCommand = { readonly kind: 'slipstream'; readonly url: string } | { readonly kind: 'stop' };

export type DeployReport =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'rollout_request'; readonly request: object; readonly response: object };
