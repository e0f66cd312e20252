/** Every configuration that is shown is one that a real Collector takes, with its defaults. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { CONFIGURATIONS } from './rig/collector.ts';

const run = promisify(execFile);
const FILES = readdirSync(CONFIGURATIONS).filter((name) => name.endsWith('.yaml') && name !== 'kubernetes-account.yaml');

describeWithTools('the configurations for a Collector', [COLLECTOR_TOOLS], (directory) => {
  it.each(FILES)('%s is valid with nothing set in the environment', async (name) => {
    const env = { PATH: process.env.PATH };
    await expect(
      run(collectorIn(directory(COLLECTOR_TOOLS)), ['validate', '--config', join(CONFIGURATIONS, name)], { env }),
    ).resolves.toMatchObject({
      stdout: '',
    });
  });

  it('a slip of the pen is not', async () => {
    const changed = ['--config', join(CONFIGURATIONS, 'otlp-grpc.yaml'), '--config', 'yaml:exporters::otlp/slipstream::endpiont: x'];
    await expect(run(collectorIn(directory(COLLECTOR_TOOLS)), ['validate', ...changed])).rejects.toThrow('endpiont');
  });
});
