/** Builds all tools that tests need, those of `npm test` first: what `.ci/run` does while the first tests run. */
import { CLUSTER_TOOLS } from '../cluster/rig/tools.ts';
import { COLLECTOR_TOOLS } from './collector.ts';
import { CUSTOM_RESOURCES } from './custom-resources.ts';
import { GRAFANA_SCHEMA } from './grafana-schema.ts';
import { HELM_TOOLS } from './helm.ts';
import { KUBERNETES_SCHEMAS } from './kubernetes-schemas.ts';
import { PROMETHEUS_TOOLS, PROMTOOL_TOOLS } from './prometheus.ts';
import { readyToolset } from './toolset.ts';

for (const toolset of [
  KUBERNETES_SCHEMAS,
  GRAFANA_SCHEMA,
  CUSTOM_RESOURCES,
  HELM_TOOLS,
  COLLECTOR_TOOLS,
  PROMETHEUS_TOOLS,
  PROMTOOL_TOOLS,
  CLUSTER_TOOLS,
]) {
  await readyToolset(toolset, process.env, (line) => process.stdout.write(`${line}\n`));
}
