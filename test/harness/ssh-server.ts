import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import ssh2 from 'ssh2';

const { Server, utils } = ssh2;

/** OpenSSH's texts of a new ed25519 key. The generator drops a leading zero byte (one key in 256), and then its own parser refuses the key. */
export function newKey(): { private: string; public: string } {
  for (;;) {
    const key = utils.generateKeyPairSync('ed25519');
    if (![key.private, key.public].some((text) => utils.parseKey(text) instanceof Error)) return key;
  }
}

/** What the server does with a command: serves it, says nothing for ever, or breaks the connection at the first byte it would send on. */
export type SshMood = 'serve' | 'hang' | 'break';

export type SshServer = {
  readonly port: number;
  /** For known_hosts. */
  readonly hostKey: string;
  /** The commands that were asked for. */
  readonly commands: readonly string[];
  mood: (command: string) => SshMood;
  stop(): Promise<void>;
};

/** An SSH server which knows one client key and two commands: `git-upload-pack` and `git-receive-pack` on any folder. */
export async function startSshServer(clientKey: string, hostKey = newKey()): Promise<SshServer> {
  const allowed = utils.parseKey(clientKey);
  if (allowed instanceof Error) throw allowed;
  const commands: string[] = [];
  const clients = new Set<ssh2.Connection>();
  const children = new Set<ChildProcess>();
  const server = new Server({ hostKeys: [hostKey.private] }, (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    // A client that breaks off is what some tests are about.
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method !== 'publickey' || !sameBytes(context.key.data, allowed.getPublicSSH())) {
        context.reject(['publickey']);
      } else if (context.signature === undefined || context.blob === undefined) context.accept();
      else if (isProven(allowed.verify(context.blob, context.signature, context.hashAlgo))) context.accept();
      else context.reject();
    });
    client.on('session', (accept) => serve(accept(), client));
  });
  const serve = (session: ssh2.Session, client: ssh2.Connection) => {
    let protocol = '';
    session.on('env', (accept, _, { key, val }) => {
      if (key === 'GIT_PROTOCOL') protocol = val;
      accept?.();
    });
    session.on('exec', (accept, reject, { command }) => {
      commands.push(command);
      const [, program, folder] = /^(git-upload-pack|git-receive-pack) '(.*)'$/.exec(command) ?? [];
      if (program === undefined || folder === undefined) return reject();
      const channel = accept();
      const mood = self.mood(command);
      if (mood === 'hang') return;
      const env = { PATH: process.env['PATH'], GIT_PROTOCOL: protocol, GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
      const child = spawn('git', [program.slice('git-'.length), folder], { env });
      children.add(child);
      child.once('close', (code) => {
        children.delete(child);
        channel.exit(code ?? 1);
        channel.end();
      });
      child.stderr.pipe(channel.stderr, { end: false });
      child.stdout.pipe(channel, { end: false });
      child.stdin.on('error', () => {});
      if (mood === 'break') channel.once('data', () => client.end());
      else channel.pipe(child.stdin);
    });
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const self: SshServer = {
    port,
    hostKey: hostKey.public,
    commands,
    mood: () => 'serve',
    stop: async () => {
      for (const child of children) child.kill('SIGKILL');
      for (const client of clients) client.end();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}

/** Beside true and false it may be an Error, whatever its type says. */
const isProven = (answer: unknown): boolean => answer === true;

const sameBytes = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
