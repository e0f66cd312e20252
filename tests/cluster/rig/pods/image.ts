/** What the runner of pods needs to know of an image, and our own one as it has it. */
import { buildImage } from '../../../image/build-image.ts';

export interface PodImage {
  /** Folder with its files. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly user: { readonly uid: number; readonly gid: number };
}

/** By its full name; null: it is not to be run, and its pods become ready by themselves. */
export type ImageOf = (name: string) => PodImage | null;

/** Built first where it is not there yet. */
export async function slipstreamImage(): Promise<PodImage> {
  const { root, config } = await buildImage();
  const [uid = 0, gid = 0] = config.user.split(':').map(Number);
  const { env, entrypoint, command, workingDirectory } = config;
  return { root, env, entrypoint, cmd: command, workingDir: workingDirectory, user: { uid, gid } };
}
