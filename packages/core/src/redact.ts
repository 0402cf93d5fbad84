/**
 * Takes secrets out of text before it reaches a log, an error, a commit or a card:
 * user-info and query strings of URLs (a Teams URL is a secret as a whole path+query), bearer and basic
 * credentials, and every value in `secrets`.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let out = text;
  for (const secret of secrets) if (secret.length >= 4) out = out.replaceAll(secret, '[redacted]');
  return out
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi, '$1[redacted]@')
    .replaceAll(/(https?:\/\/[^\s?"'<>]+)\?[^\s"'<>]*/gi, '$1?[redacted]')
    .replaceAll(/\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [redacted]');
}

/** `scheme://host:port` of a URL for messages: no user-info, path or query. Unparsable text becomes `[url]`. */
export function urlOrigin(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return '[url]';
  }
}
