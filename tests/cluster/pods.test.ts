/** The runner of pods does what a kubelet does, so that what is seen of the chart's pods would be seen on a node. */
import { expect, it } from 'vitest';
import { describePods } from './rig/pods/describe-pods.ts';

/** Serves what its files and its environment are, on 8080. */
const SERVER = `
  const { readFileSync, writeFileSync, existsSync } = require('node:fs');
  const read = (file) => { try { return readFileSync(file, 'utf8'); } catch (error) { return error.code; } };
  const tried = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
  let health = 200;
  require('node:http').createServer((request, response) => {
    const url = new URL(request.url, 'http://pod');
    if (url.pathname === '/sick') health = 500;
    if (url.pathname === '/health') return void response.writeHead(health).end();
    if (url.pathname === '/write') return void response.end(tried(() => writeFileSync(url.searchParams.get('file'), 'x')));
    if (url.pathname === '/read') return void response.end(read(url.searchParams.get('file')));
    if (url.pathname === '/lookup') return void require('node:dns').lookup(url.searchParams.get('name'), (error, found) => response.end(error?.code ?? found));
    response.end(JSON.stringify({ env: process.env, pid: process.pid, uid: process.getuid(), status: read('/proc/self/status') }));
  }).listen(8080);
  process.on('SIGTERM', () => { console.log('asked to end' + (existsSync('/scratch/before') ? ', prepared' : '')); process.exit(0); });
`;

describePods('the runner of pods', {}, (pods) => {
  const made = async (more: { labels?: object; container?: object; spec?: object } = {}): Promise<string> => {
    const { cluster, kubelet } = pods();
    const namespace = await cluster.namespace();
    kubelet.serve(namespace);
    const root = `/api/v1/namespaces/${namespace}`;
    await cluster.must('POST', `${root}/configmaps`, { metadata: { name: 'settings' }, data: { colour: 'blue', 'file.yaml': 'a: 1\n' } });
    await cluster.must('POST', `${root}/secrets`, { metadata: { name: 'secret' }, stringData: { token: 'of the secret' } });
    await cluster.must('POST', `${root}/services`, {
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    });
    await cluster.must('POST', `${root}/pods`, {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 5,
        securityContext: { runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532 },
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'secret', secret: { secretName: 'secret', items: [{ key: 'token', path: 'key' }], defaultMode: 0o400 } },
          { name: 'scratch', emptyDir: {} },
        ],
        containers: [
          {
            name: 'main',
            image: 'slipstream:0',
            command: ['node', '-e', SERVER],
            ports: [{ name: 'http', containerPort: 8080 }],
            env: [
              { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'secret', key: 'token' } } },
              { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
              { name: 'URL', value: 'http://$(POD):8080/$(COLOUR)/$(OTHER)' },
            ],
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/settings' },
              { name: 'secret', mountPath: '/etc/secret', readOnly: true },
              { name: 'scratch', mountPath: '/scratch' },
            ],
            resources: { limits: { memory: '256Mi' } },
            securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
            readinessProbe: { httpGet: { path: '/health', port: 'http' }, periodSeconds: 1, failureThreshold: 1 },
            ...more.container,
          },
        ],
        ...more.spec,
      },
    });
    return namespace;
  };

  it('runs the image as the user of the pod, with its environment, its files and no way to write elsewhere', async () => {
    const namespace = await made();
    const web = await pods().toward(namespace, 'web', 'http');
    const { env, pid, uid, status } = (await (await web('/')).json()) as {
      env: Record<string, string>;
      pid: number;
      uid: number;
      status: string;
    };
    expect({ pid, uid }).toEqual({ pid: 1, uid: 65_532 });
    expect(status).toMatch(/NoNewPrivs:\t1/);
    expect(status).toMatch(/CapEff:\t0{16}/);
    const { address } = pods().kubelet.pod(namespace, 'web');
    expect(env).toMatchObject({
      POD: 'web',
      ADDRESS: address,
      TOKEN: 'of the secret',
      COLOUR: 'blue',
      URL: 'http://web:8080/blue/$(OTHER)',
    });
    const read = async (file: string) => (await web(`/read?file=${file}`)).text();
    expect(await read('/etc/settings/file.yaml')).toBe('a: 1\n');
    expect(await read('/etc/secret/key')).toBe('of the secret');
    expect(await read('/etc/secret/token')).toBe('ENOENT');
    expect(await read('/var/run/secrets/kubernetes.io/serviceaccount/namespace')).toBe(namespace);
    const write = async (file: string) => (await web(`/write?file=${file}`)).text();
    expect(await write('/scratch/file')).toBe('done');
    expect(await write('/file')).toBe('EROFS');
    expect(await write('/etc/settings/file.yaml')).toBe('EROFS');
  });

  it('shows a changed ConfigMap in the running pod', async () => {
    const namespace = await made();
    const { cluster, until, toward } = pods();
    const web = await toward(namespace, 'web', 'http');
    const path = `/api/v1/namespaces/${namespace}/configmaps/settings`;
    await cluster.must('PATCH', path, { data: { 'file.yaml': 'a: 2\n', more: 'new' } }, 'application/merge-patch+json');
    await until('the file is the new one', async () => (await (await web('/read?file=/etc/settings/more')).text()) === 'new');
    expect(await (await web('/read?file=/etc/settings/file.yaml')).text()).toBe('a: 2\n');
  });

  it('leads Services to pods that are ready, by their names', async () => {
    const namespace = await made();
    const { until, toward, cluster } = pods();
    const web = await toward(namespace, 'web', 'http');
    const { spec } = await cluster.must('GET', `/api/v1/namespaces/${namespace}/services/web`);
    for (const name of ['web', `web.${namespace}`, `web.${namespace}.svc`]) {
      // Its own name is in its hosts file.
      const expected = name === 'web' ? pods().kubelet.pod(namespace, 'web').address : spec.clusterIP;
      expect(await (await web(`/lookup?name=${name}`)).text()).toBe(expected);
    }
    expect(await (await web('/lookup?name=nobody')).text()).toBe('ENOTFOUND');
    const direct = await pods().kubelet.forwardPod(namespace, 'web', 'http');
    await fetch(`${direct.url}/sick`);
    await until('the Service leads nowhere', async () => (await web('/').catch(() => null)) === null);
    await until('its status says that it is not ready', async () => {
      const { status } = await cluster.must('GET', `/api/v1/namespaces/${namespace}/pods/web`);
      return status.conditions.some((each: { type: string; status: string }) => each.type === 'Ready' && each.status === 'False');
    });
  });

  it('starts what is sick again, and asks it to end first', async () => {
    const namespace = await made({
      container: { livenessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 1, failureThreshold: 2 } },
    });
    const { until, toward, cluster, kubelet } = pods();
    const web = await toward(namespace, 'web', 'http');
    await web('/sick');
    await until('it was started again', async () => {
      const { status } = await cluster.must('GET', `/api/v1/namespaces/${namespace}/pods/web`);
      const { restartCount, ready } = status.containerStatuses[0];
      return restartCount === 1 && ready;
    });
    expect(await kubelet.log(namespace, 'web')).toContain('asked to end');
  });

  it('runs preStop before it asks a pod to end', async () => {
    const preStop = { exec: { command: ['node', '-e', "require('node:fs').writeFileSync('/scratch/before', '')"] } };
    const namespace = await made({ container: { lifecycle: { preStop } } });
    const { until, toward, cluster, kubelet } = pods();
    await toward(namespace, 'web', 'http');
    const path = `/api/v1/namespaces/${namespace}/pods/web`;
    await cluster.must('DELETE', path);
    await until('it is gone', async () => (await cluster.call('GET', path)).status === 404);
    expect(await kubelet.log(namespace, 'web')).toBe('asked to end, prepared\n');
  });

  it('says that a pod which ended well has succeeded', async () => {
    const namespace = await made({ container: { command: ['node', '-e', '0'], readinessProbe: null }, spec: { restartPolicy: 'Never' } });
    const { until, cluster } = pods();
    const path = `/api/v1/namespaces/${namespace}/pods/web`;
    await until('it has ended', async () => (await cluster.must('GET', path)).status.phase === 'Succeeded');
  });
});
