import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export type SmtpMail = { from: string; to: string[]; data: string; secure: boolean; user: string | undefined };

export type SmtpServer = {
  port: number;
  mails: SmtpMail[];
  /** Answers of the next commands of this verb, such as `RCPT` → `450 4.2.1 later`; taken one by one. */
  answers: Record<string, string[]>;
  stop: () => Promise<void>;
};

type SmtpOptions = {
  /** PEM; with it STARTTLS is offered. */
  tls?: { key: string; cert: string };
  login?: { user: string; password: string };
  /** Says nothing at all, not even its greeting. */
  silent?: boolean;
};

/** A mail server that speaks as much of RFC 5321 (with STARTTLS and AUTH PLAIN) as one message needs. */
export async function startSmtpServer(options: SmtpOptions = {}): Promise<SmtpServer> {
  const mails: SmtpMail[] = [];
  const answers: SmtpServer['answers'] = {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    if (options.silent !== true) converse(socket, { options, mails, answers, secure: false, user: undefined });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, mails, answers, stop };
}

type Session = {
  options: SmtpOptions;
  mails: SmtpMail[];
  answers: SmtpServer['answers'];
  secure: boolean;
  user: string | undefined;
};

function converse(socket: Socket, session: Session): void {
  const say = (line: string) => socket.write(`${line}\r\n`);
  let [text, from, to, data] = ['', '', [] as string[], false];
  if (!session.secure) say('220 mail.test ESMTP');
  const onData = (chunk: Buffer) => {
    text += chunk.toString('utf8');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      if (data) {
        const last = text.indexOf('\r\n.\r\n');
        if (last < 0) return;
        session.mails.push({ from, to, data: text.slice(0, last), secure: session.secure, user: session.user });
        text = text.slice(last + 5);
        data = false;
        say('250 2.0.0 taken');
        continue;
      }
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      take(line);
    }
  };
  const take = (line: string) => {
    const verb = (/^[A-Z]+/i.exec(line)?.[0] ?? '').toUpperCase();
    const planned = session.answers[verb]?.shift();
    if (planned !== undefined) return say(planned);
    if (verb === 'MAIL') [from, to] = [/<(.*?)>/.exec(line)?.[1] ?? '', []];
    if (verb === 'RCPT') to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
    if (verb === 'DATA') data = true;
    if (verb === 'STARTTLS') {
      say('220 2.0.0 go on');
      socket.off('data', onData);
      return upgrade(socket, session);
    }
    if (verb === 'AUTH') return say(authenticate(line, session));
    say(ANSWERS[verb]?.(session) ?? '502 5.5.1 not known');
  };
  socket.on('data', onData);
}

const ANSWERS: Record<string, (session: Session) => string> = {
  EHLO: ({ options, secure }) =>
    [
      '250-mail.test',
      ...(options.tls === undefined || secure ? [] : ['250-STARTTLS']),
      ...(options.login === undefined ? [] : ['250-AUTH PLAIN']),
      '250 8BITMIME',
    ].join('\r\n'),
  MAIL: () => '250 2.1.0 yes',
  RCPT: () => '250 2.1.5 yes',
  DATA: () => '354 go on',
  RSET: () => '250 2.0.0 yes',
  QUIT: () => '221 2.0.0 bye',
};

function authenticate(line: string, session: Session): string {
  const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    .toString('utf8')
    .split('\0');
  const { login } = session.options;
  if (user !== login?.user || password !== login?.password) return '535 5.7.8 wrong name or password';
  session.user = user;
  return '235 2.7.0 welcome';
}

function upgrade(socket: Socket, session: Session): void {
  const { tls } = session.options;
  const secured = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) });
  secured.on('error', () => socket.destroy());
  converse(secured, { ...session, secure: true });
}
