/** Names a version that a deploy system serves as a package URL (purl), as CDEvents wants artifacts named. */

/** `[registry/]path[:tag][@sha256:…]`, the tag or the digest being there: without either it names no version. */
const IMAGE =
  /^(?<repository>(?:[\w.-]+(?::\d+)?\/)?[a-z0-9._-]+(?:\/[a-z0-9._-]+)*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * `version` as the deploy system named it. An image becomes `pkg:oci/name@sha256%3A…?repository_url=…&tag=…` (without a digest the tag alone tells the
 * version), anything else, such as a pod-template-hash, `pkg:generic/service@version`; null: nobody knows, and the version is left out.
 */
export function packageUrl(service: string, version: string | null): string {
  if (version === null) return `pkg:generic/${encoded(service)}`;
  const { repository, tag, digest } = IMAGE.exec(version)?.groups ?? {};
  if (repository === undefined || (tag === undefined && digest === undefined)) return `pkg:generic/${encoded(service)}@${encoded(version)}`;
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const place = `repository_url=${repository.split('/').map(encoded).join('/')}`;
  return `pkg:oci/${encoded(name)}${digest === undefined ? '' : `@${encoded(digest)}`}?${place}${tag === undefined ? '' : `&tag=${encoded(tag)}`}`;
}

/** Of the characters that `encodeURIComponent` leaves, a purl leaves letters, digits and `.-_~`. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
