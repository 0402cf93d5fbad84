import { styleText } from 'node:util';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'quiet';

/** Where the story is told: one line per stage; on a terminal also a line that moves. */
export type Screen = {
  /** A finished line. */
  say(text: string, tone?: Tone): void;
  /** The moving line: what happens now. On anything but a terminal it is not shown. */
  now(text: string): void;
};

const STYLE = { plain: [], good: ['green'], warn: ['yellow'], bad: ['red'], quiet: ['gray'] } as const;

/** A screen on a stream. Colours and the moving line only on a terminal, and no colours where NO_COLOR is set. */
export function screen(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Screen {
  const terminal = out.isTTY;
  const coloured = terminal && !env.NO_COLOR;
  let moving = false;
  const clear = () => {
    if (moving) out.write('\r\u001b[2K');
    moving = false;
  };
  return {
    say: (text, tone = 'plain') => {
      clear();
      const style = STYLE[tone];
      out.write(`${coloured && style.length > 0 ? styleText([...style], text) : text}\n`);
    },
    now: (text) => {
      if (!terminal) return;
      clear();
      out.write(text.slice(0, (out.columns ?? 100) - 1));
      moving = true;
    },
  };
}

/** `[██████░░░░] 60 %`. */
export function bar(done: number, total: number, width = 24): string {
  const filled = total === 0 ? width : Math.round((done / total) * width);
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] ${total === 0 ? 100 : Math.floor((done / total) * 100)} %`;
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
