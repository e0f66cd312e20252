/** Which topics of those that there are a reader is meant to read. */

/** Sorted; a pattern must match whole names and never finds the topics that Kafka keeps for itself (`__consumer_offsets`). */
export function wantedTopics(wanted: readonly string[] | RegExp, existing: readonly string[]): readonly string[] {
  if (wanted instanceof RegExp) {
    const whole = new RegExp(`^(?:${wanted.source})$`, wanted.flags.replaceAll(/[gy]/g, ''));
    return existing.filter((topic) => !topic.startsWith('__') && whole.test(topic)).sort();
  }
  const known = new Set(existing);
  return [...new Set(wanted)].filter((topic) => known.has(topic)).sort();
}
