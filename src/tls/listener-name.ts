/** The listeners that may speak TLS: values of the label `listener`, and what each is called in the configuration. */
export const LISTENER_TITLES = { otlp_grpc: 'receivers.otlpGrpc', otlp_http: 'receivers.otlpHttp', api: 'api' } as const;
export type ListenerName = keyof typeof LISTENER_TITLES;
