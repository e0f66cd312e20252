/** Helm, built from its Go module. */
import { join } from 'node:path';
import { goInstall, missingGo } from './go.ts';
import type { Toolset } from './toolset.ts';

const HELM = { command: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.1' } as const;

export const HELM_TOOLS: Toolset = {
  name: 'helm',
  versions: HELM,
  takes: 'about 2 minutes on two cores',
  missing: missingGo,
  build: (directory, say) => goInstall({ ...HELM, file: helmIn(directory), say }),
};

export function helmIn(directory: string): string {
  return join(directory, 'helm');
}
