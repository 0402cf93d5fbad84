import { type HeadReader, headReader } from './heads.ts';
import { type Forms, learningForms } from './split-forms.ts';

/** What reading packs has taught of how heads and bodies look. Of bounded size; the results are the same without. */
export type Learnt = { readonly readHead: HeadReader; readonly forms: Forms };

export const learnt = (): Learnt => ({ readHead: headReader(), forms: learningForms() });
