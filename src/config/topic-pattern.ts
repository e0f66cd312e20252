/** A pattern of topic names, kept so small that matching can never take long, whatever others name their topics. */
import { Complaint } from './quantity.ts';

/**
 * Names that Kafka takes: all but `.` and `..`. Source: org.apache.kafka.common.internals.Topic (4.3). Without
 * look-around, which Helm does not know where it checks values.
 */
export const TOPIC_NAME = /^([A-Za-z0-9_-][A-Za-z0-9._-]{0,248}|\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,247}|\.\.[A-Za-z0-9._-]{1,247})$/;
export const TOPIC_EXPECTED = 'letters, digits, `.`, `_` and `-`, at most 249';

const MAX_CHARS = 249;
/**
 * A name has at most 249 characters, so three parts of any length can be laid out in it in about 2.6 million ways: that is the longest a match takes.
 * What repeats or branches without such a limit (a repeated group, look-around, a back-reference) could take for ever.
 */
const MAX_REPEATS = 3;
const MAX_BRANCHES = 32;
/** One character, a class of characters or any one, perhaps repeated; brackets around choices, which are not repeated. */
const TOKEN =
  /(?:\.|\\[.\-dw]|[A-Za-z0-9_-]|\[\^?(?:[A-Za-z0-9._-]|\\[.\-dw])+\])([*+?]|\{\d{1,3}(?:,\d{0,3})?\})?|\((?:\?:)?|\)(?![*+?{])|(\|)/y;

/** Reads `^spans-.*`; the whole of a name must match. */
export function readTopicPattern(text: string): RegExp | Complaint {
  const expected =
    'a pattern of names such as ^spans-.*$ with up to 3 of *, +, ?, {n} after single characters or classes; choices as in (eu|us)';
  if (text.length > MAX_CHARS) return new Complaint('longer than any name of a topic', expected);
  const body = text.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  let repeats = 0;
  let branches = 0;
  let groups = 0;
  for (let at = 0; at < body.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(body);
    if (token === null) return new Complaint(`\`${body.slice(at, at + 12)}\` cannot be part of it`, expected);
    if (token[1] !== undefined) repeats++;
    if (token[2] !== undefined) branches++;
    if (token[0].startsWith('(')) groups++;
  }
  if (repeats > MAX_REPEATS || branches > MAX_BRANCHES || groups > 1) {
    return new Complaint('more than can be matched quickly', `at most ${MAX_REPEATS} repeats and one pair of brackets`);
  }
  try {
    return new RegExp(`^(?:${body})$`);
  } catch {
    return new Complaint('not a pattern', expected);
  }
}
