/** `missing`: it will not work; `warning`: it works, or that it does could not be seen. `text` says the mend. */
export type Finding = { readonly name: string; readonly state: 'ok' | 'warning' | 'missing'; readonly text: string };

export const ok = (name: string, text: string): Finding => ({ name, state: 'ok', text });
export const warning = (name: string, text: string): Finding => ({ name, state: 'warning', text });
export const missing = (name: string, text: string): Finding => ({ name, state: 'missing', text });
