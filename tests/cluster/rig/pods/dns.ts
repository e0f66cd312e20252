/** Answers of a name server to questions for IPv4 addresses. */

const TYPE_A = 1;
const HEADER_BYTES = 12;
const TTL_SECONDS = 1;
/** RFC 1035, 4.1.1: an answer, by an authority, to a question that wanted recursion, which there is. */
const ANSWERED = 0x85_80;
const NO_SUCH_NAME = 3;

/**
 * The answer to one question; null: the message is none.
 *
 * Layout (RFC 1035, 4.1): id(2) flags(2) questions(2) answers(2) authorities(2) additional(2), then the question: labels, each a length and its bytes,
 * up to a length of zero; type(2) class(2). An answer repeats it and adds, for each address: pointer to the name(2) type(2) class(2) ttl(4) length(2) address(4).
 */
export function dnsAnswer(message: Buffer, addressesOf: (name: string) => readonly string[] | null): Buffer | null {
  const question = questionOf(message);
  if (question === null) return null;
  const { name, type, end } = question;
  const addresses = addressesOf(name);
  const found = type === TYPE_A ? (addresses ?? []) : [];
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(message.readUInt16BE(0), 0);
  head.writeUInt16BE(ANSWERED | (addresses === null ? NO_SUCH_NAME : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(found.length, 6);
  const records = found.map((address) => {
    const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4, 0, 0, 0, 0]);
    address.split('.').forEach((part, index) => {
      record.writeUInt8(Number(part), 12 + index);
    });
    return record;
  });
  return Buffer.concat([head, message.subarray(HEADER_BYTES, end), ...records]);
}

function questionOf(message: Buffer): { readonly name: string; readonly type: number; readonly end: number } | null {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += 1;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length).toLowerCase());
    at += length;
  }
  if (at + 4 > message.length) return null;
  return { name: labels.join('.'), type: message.readUInt16BE(at), end: at + 4 };
}
