/** A notice as Slack's incoming webhooks take it, and those of Mattermost and Rocket.Chat, which take the same fields. */

import type { Notice } from '../../model/notice.ts';
import { shortened, visible } from '../../model/safe-text.ts';

const MAX_TITLE = 300;
const MAX_LINE = 500;

/** Colour of the bar beside the message. */
const COLOURS: Readonly<Record<Notice['severity'], string>> = { page: '#c0392b', ticket: '#e67e22', info: '#2980b9' };
const RESOLVED_COLOUR = '#27ae60';

export interface SlackMessage {
  readonly text: string;
  readonly attachments: readonly {
    readonly color: string;
    readonly fallback: string;
    readonly text: string;
    readonly mrkdwn_in: readonly string[];
  }[];
}

export function slackMessage({ state, severity, title, details, link }: Notice): SlackMessage {
  const isOver = state === 'resolved';
  const heading = `${isOver ? 'Resolved' : severity === 'page' ? 'PAGE' : severity === 'ticket' ? 'Ticket' : 'Info'}: ${plain(title, MAX_TITLE)}`;
  const lines = details.map((line) => plain(line, MAX_LINE));
  const text = [...lines, ...(link === null ? [] : [`<${escaped(link)}|why>`])].join('\n');
  return {
    text: heading,
    attachments:
      text === '' ? [] : [{ color: isOver ? RESOLVED_COLOUR : COLOURS[severity], fallback: lines.join('\n'), text, mrkdwn_in: [] }],
  };
}

/** Names out of telemetry must neither call people nor make links: `<!channel>` in Slack, `@channel` in Mattermost. */
function plain(text: string, width: number): string {
  return escaped(shortened(visible(text), width)).replaceAll('@', '@\u200b');
}

/** Source: Slack, "Formatting text for app surfaces": exactly these three. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
