/** Events over HTTP are as CloudEvents 1.0.2 and its HTTP binding ask, and say the same in both modes. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { binaryRequest, type CloudEvent, headerValue, structuredRequest } from '../../src/sinks/cloud-events.ts';

const EVENT: CloudEvent = {
  id: 'sig_1',
  source: '/slo/cluster-a',
  type: 'slipstream.signal.rollback',
  subject: 'checkout-42',
  time: '2026-01-02T03:04:05.678Z',
  data: '{"a":"Grüße","b":1.50}',
};

describe('a structured event', () => {
  it('has everything in its body, the data as it was given', () => {
    expect(structuredRequest(EVENT)).toEqual({
      headers: { 'content-type': 'application/cloudevents+json' },
      body:
        '{"specversion":"1.0","id":"sig_1","source":"/slo/cluster-a","type":"slipstream.signal.rollback","subject":"checkout-42",' +
        '"time":"2026-01-02T03:04:05.678Z","datacontenttype":"application/json","data":{"a":"Grüße","b":1.50}}',
    });
  });
});

describe('a binary event', () => {
  it('has its attributes in headers and its data as the body, whose content type is said once', () => {
    expect(binaryRequest(EVENT)).toEqual({
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'sig_1',
        'ce-source': '/slo/cluster-a',
        'ce-type': 'slipstream.signal.rollback',
        'ce-subject': 'checkout-42',
        'ce-time': '2026-01-02T03:04:05.678Z',
      },
      body: EVENT.data,
    });
  });
});

describe('both', () => {
  test.prop([fc.string({ unit: 'binary' }), fc.jsonValue()])('say the same, whatever names they carry', (subject, value) => {
    const event = { ...EVENT, subject, data: JSON.stringify(value) };
    const { headers, body } = binaryRequest(event);
    const whole = JSON.parse(structuredRequest(event).body) as Record<string, unknown>;
    expect(whole.data).toEqual(JSON.parse(body));
    for (const name of ['specversion', 'id', 'source', 'type', 'subject', 'time'])
      expect(decodeURIComponent(headers[`ce-${name}`] ?? '')).toBe(whole[name]);
    // Strings of CloudEvents have neither controls nor halves of pairs.
    expect(whole.subject).toMatch(/^[^\p{Cc}\p{Cs}]*$/u);
  });
});

describe('a header value', () => {
  // The first row is the example of the HTTP binding, 3.1.3.2.
  it.each<[string, string]>([
    ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
    ["plain-text_0.9~!#$&'()*+,/:;<=>?@[\\]^`{|}", "plain-text_0.9~!#$&'()*+,/:;<=>?@[\\]^`{|}"],
    ['"100 %"', '%22100%20%25%22'],
    ['a\r\nx-evil: 1', 'a%0D%0Ax-evil:%201'],
    ['\u0000\u007f', '%00%7F'],
    ['\ud800', '%EF%BF%BD'],
    ['', ''],
  ])('of %j is %j', (text, value) => {
    expect(headerValue(text)).toBe(value);
  });

  test.prop([fc.string({ unit: 'binary' })])('holds visible ASCII alone, and gives the text back', (text) => {
    expect(headerValue(text)).toMatch(/^[\x21\x23-\x7e]*$/);
    expect(decodeURIComponent(headerValue(text))).toBe(text.toWellFormed());
  });
});
