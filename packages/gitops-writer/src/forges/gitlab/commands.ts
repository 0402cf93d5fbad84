/**
 * GitLab takes a line of a description or note that begins with a slash and a word for a command ("/merge"), obeys it
 * and removes it. A backslash before it makes it text, and Markdown does not show the backslash.
 */
export const asText = (text: string): string => text.replaceAll(/^(?=\\*\/[a-z])/gim, '\\');

/** What `asText` was made from. */
export const fromText = (text: string): string => text.replaceAll(/^\\(?=\\*\/[a-z])/gim, '');
