import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether `signature` (X-Gitea-Signature: bare hex) is the HMAC-SHA256 of the raw body. Takes the same time for every wrong one. */
export function isSigned(body: Buffer, signature: string | undefined, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature ?? '') ? (signature as string) : '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Branches that a delivery is about; none when it does not say (then everything is looked at). The rest of it is not believed. */
export function branchesOf(body: Buffer): string[] {
  try {
    const payload = JSON.parse(body.toString('utf8')) as { pull_request?: { head?: { ref?: unknown } }; ref?: unknown };
    const ref = payload.pull_request?.head?.ref ?? payload.ref;
    return typeof ref === 'string' ? [ref.replace(/^refs\/heads\//, '')] : [];
  } catch {
    return [];
  }
}
