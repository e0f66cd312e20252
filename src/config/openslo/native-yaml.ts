/** An imported document as the text of a file, with what people wrote as comments. */
import { Document, isCollection, isMap } from 'yaml';
import { visible } from '../../model/safe-text.ts';
import type { ImportedDocument } from './import.ts';

const LINE_WIDTH = 140;
export function nativeYaml({ value, comments }: ImportedDocument): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  const whole = comments.get('');
  if (whole !== undefined) document.commentBefore = commentText(whole);
  const { spec } = value;
  for (const [index] of (spec.objectives ?? []).entries()) place(document, comments, ['spec', 'objectives', index]);
  for (const [position, { objectives }] of (spec.perEndpoint ?? []).entries()) {
    for (const [index] of objectives.entries()) place(document, comments, ['spec', 'perEndpoint', position, 'objectives', index]);
  }
  return document.toString({ lineWidth: LINE_WIDTH, flowCollectionPadding: true });
}

/** Comments the entry and keeps what is inside it on one line each. */
function place(document: Document, comments: ReadonlyMap<string, string>, path: readonly (string | number)[]): void {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const comment = comments.get(text.slice(1));
  const node = document.getIn(path, true);
  if (!isMap(node)) return;
  if (comment !== undefined) node.commentBefore = commentText(comment);
  for (const { value } of node.items) if (isCollection(value)) value.flow = true;
}

function commentText(text: string): string {
  return text
    .split('\n')
    .map((line) => ` ${visible(line)}`)
    .join('\n');
}
