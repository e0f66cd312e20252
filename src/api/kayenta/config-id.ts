/** A service as id of a canary configuration: Argo Rollouts writes it into a path as it is. */

const PLAIN = /^[A-Za-z0-9._-]$/;

/** `shop/cart` becomes `shop~2Fcart`: bytes that a path may not carry, in hexadecimal after a `~`. */
export function configIdOf(service: string): string {
  return [...service].map((character) => (PLAIN.test(character) ? character : escaped(character))).join('');
}

/** Null when `id` is of no service. */
export function serviceOf(id: string): string | null {
  if (id === '' || id.length > 2048 || !/^(?:[A-Za-z0-9._-]|~[0-9A-F]{2})+$/.test(id)) return null;
  try {
    return decodeURIComponent(id.replaceAll('~', '%'));
  } catch {
    return null;
  }
}

function escaped(character: string): string {
  return [...Buffer.from(character, 'utf8')].map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
