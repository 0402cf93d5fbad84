import { type CardAnswer, type CardContent, sha256 } from '@fairway/core';
import { createTransport } from 'nodemailer';
import type { Notifier } from '../../ports/notify.ts';
import { mailHtml, mailSubject, mailText } from './mail.ts';

const TIMEOUT_MS = 15_000;

export type MailSettings = {
  readonly host: string;
  readonly port: number;
  /** starttls: a connection that cannot be made secure is given up. tls: secure from its first byte. none: a relay on this machine. */
  readonly security: 'starttls' | 'tls' | 'none';
  /** Certificate authorities, PEM; undefined: those of the system. */
  readonly ca: string | undefined;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
};

/** Sends each message as e-mail over SMTP, text and HTML. The Message-ID follows from the delivery id, so a repetition is known. */
export function mailNotifier(settings: MailSettings, timeoutMs = TIMEOUT_MS): Notifier {
  const { host, port, security, ca, login, from, to } = settings;
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async (content) => {
      try {
        const { rejected } = await transport.sendMail(message(content, from, to));
        if (rejected.length === 0) return { kind: 'accepted' };
        return { kind: 'accepted', reason: `The mail server refused ${rejected.length} of ${to.length} recipients.` };
      } catch (error) {
        return classify(error as SmtpError);
      }
    },
  };
}

const message = (content: CardContent, from: string, to: readonly string[]) => ({
  from,
  to: [...to],
  subject: mailSubject(content),
  text: mailText(content),
  html: mailHtml(content),
  messageId: `<${sha256(content.deliveryId).slice(0, 32)}@${
    from
      .split('@')
      .at(-1)
      ?.replace(/[^\w.-]/g, '') ?? 'fairway'
  }>`,
  headers: {
    'X-Fairway-Delivery': content.deliveryId,
    'X-Fairway-Event': content.event,
    'Auto-Submitted': 'auto-generated',
  },
});

type SmtpError = Error & { readonly code?: string; readonly responseCode?: number };

/** RFC 5321: 4xx passes, 5xx does not. What is no answer at all (network, certificate) is tried again. */
function classify({ code, responseCode }: SmtpError): CardAnswer {
  if (responseCode === undefined || responseCode < 500) {
    const why = responseCode === undefined ? (code ?? 'no answer') : String(responseCode);
    return { kind: 'retry', reason: `The mail server did not take the message (${why}).` };
  }
  const mend =
    code === 'EAUTH'
      ? 'check SMTP_USER and SMTP_PASSWORD'
      : code === 'EENVELOPE'
        ? 'check MAIL_FROM and MAIL_TO'
        : 'ask whoever runs it';
  return { kind: 'dead', reason: `The mail server refused the message (${responseCode}): ${mend}.` };
}
