/** Deployments for tests, as people write them. */

/** Two pods of `app: <name>` with the image `example.test/<name>:<tag>`. */
export function deploymentYaml(
  name: string,
  tag: string,
  { labels = {}, annotations = {}, replicas = 2 }: { labels?: object; annotations?: object; replicas?: number } = {},
): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels, annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image: `example.test/${name}:${tag}` }] },
      },
    },
  });
}
