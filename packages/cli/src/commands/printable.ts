/** Names and paths come from whoever could push or export a model: nothing of them may steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
