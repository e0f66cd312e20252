/** Members whose APIs speak TLS: they trust an authority of their own, and whoever else listens there is asked nothing. */
import { afterEach, describe, expect, it } from 'vitest';
import { authority } from '../../support/self-signed.ts';
import { CertificateFiles } from '../../tls/certificate-files.ts';
import { ControlList, MemberStand, PARTITIONS, serviceIn } from './members-stand.ts';

const OURS = authority('ours');
const OF_B = serviceIn(2);
const wish = { id: 'ro-1', service: OF_B, generation: 1, baseline: { 'service.version': '1' }, canary: { 'service.version': '2' } };

const running: MemberStand[] = [];
afterEach(() => Promise.all(running.splice(0).map((member) => member.stop())));

async function two(ofA: CertificateFiles, ofB: CertificateFiles) {
  const control = new ControlList();
  const [a, b] = [new MemberStand('a', control, ofA), new MemberStand('b', control, ofB)];
  running.push(a, b);
  await Promise.all([a.start(), b.start()]);
  for (let partition = 0; partition < PARTITIONS; partition++) await (partition < 2 ? a : b).own(partition);
  return { a, b };
}

describe('members that speak TLS', () => {
  it('answer for each other, and pass on changes with their token', async () => {
    const member = OURS.issue(['127.0.0.1']);
    const { a, b } = await two(new CertificateFiles(member, OURS.cert), new CertificateFiles(member, OURS.cert));
    expect([a.url, b.url].every((url) => url.startsWith('https://127.0.0.1:'))).toBe(true);
    expect((await a.post('/v1/rollouts', wish)).status).toBe(201);
    expect(b.cell(2).stand.stages.engine.rollouts.find('ro-1')).toBeDefined();
    expect((await a.ask('/v1/rollouts')).json).toMatchObject({ total: 1 });
  });

  it.each([
    ['whose certificate is of another authority', () => authority('ours').issue(['127.0.0.1'])],
    ['whose certificate is for another name', () => OURS.issue(['127.0.0.2'])],
  ])('ask nothing of one %s: the answer is 503, and the token is not sent', async (_who, strange) => {
    const { a, b } = await two(new CertificateFiles(OURS.issue(['127.0.0.1']), OURS.cert), new CertificateFiles(strange(), OURS.cert));
    expect((await a.post('/v1/rollouts', wish)).status).toBe(503);
    expect(b.cell(2).stand.stages.engine.rollouts.find('ro-1')).toBeUndefined();
    expect(a.telemetry.value('peer_requests_total', { result: 'silent' })).toBe(1);
  });
});
