/** Requests for measuring transports: SERVER spans of about 500 bytes with 13 attributes, different ids and durations. */

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** An ExportTraceServiceRequest as protobuf, the same for the same arguments. */
export function transportPayload(spans: number, seed = 1): Buffer {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  const resource = bytesField(1, Buffer.concat([attribute('service.name', 'checkout'), attribute('service.version', '1.4.2')]));
  const parts = Array.from({ length: spans }, () => {
    const endNs = 1_800_000_000_000_000_000n + BigInt(Math.floor(random() * 1e9));
    const route = `/orders/{id}/lines/${Math.floor(random() * 20)}`;
    return bytesField(
      2,
      Buffer.concat([
        bytesField(1, randomBytes(16)),
        bytesField(2, randomBytes(8)),
        bytesField(4, randomBytes(8)),
        bytesField(5, Buffer.from(`GET ${route}`)),
        Buffer.from([0x30, 2]),
        fixed64Field(7, endNs - BigInt(Math.floor(random() * 5e8))),
        fixed64Field(8, endNs),
        ...[
          ['http.request.method', METHODS[Math.floor(random() * 4)] ?? ''],
          ['http.route', route],
          ['url.path', route.replace('{id}', String(Math.floor(random() * 1e6)))],
          ['url.scheme', 'https'],
          ['server.address', 'checkout.shop.svc'],
          ['network.protocol.version', '1.1'],
          ['network.peer.address', `10.0.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`],
          ['user_agent.original', 'okhttp/4.12.0'],
          ['client.address', `203.0.113.${Math.floor(random() * 256)}`],
          ['thread.name', `worker-${Math.floor(random() * 32)}`],
          ['session.id', randomBytes(8).toString('hex')],
          ['tenant', `tenant-${Math.floor(random() * 50)}`],
          ['http.response.status_code', random() < 0.01 ? '500' : '200'],
        ].map(([key = '', value = '']) => bytesField(9, keyValue(key, value))),
      ]),
    );
  });
  return bytesField(1, Buffer.concat([resource, bytesField(2, Buffer.concat(parts))]));
}

function attribute(key: string, value: string): Buffer {
  return bytesField(1, keyValue(key, value));
}

function keyValue(key: string, value: string): Buffer {
  return Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, bytesField(1, Buffer.from(value)))]);
}

function fixed64Field(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}

function bytesField(field: number, value: Buffer): Buffer {
  const prefix = [(field << 3) | 2];
  let rest = value.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix.push((rest % 0x80) + 0x80);
  return Buffer.concat([Buffer.from([...prefix, rest]), value]);
}
