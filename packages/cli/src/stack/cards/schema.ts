/** What Adaptive Cards 1.4 allows where a Teams workflow posts the card: elements, their fields, and the words a field may hold. */

/** `string`, `boolean`, `number`, `any`; a list of words; or a nested structure by name. `!` marks a required field. */
type Kind = 'string' | 'boolean' | 'number' | 'any' | 'url' | readonly string[] | Nested;
type Nested = 'elements' | 'actions' | 'action' | 'columns' | 'facts' | 'card' | 'targets';
export type Fields = Readonly<Record<string, Kind>>;

const SPACING = ['default', 'none', 'small', 'medium', 'large', 'extraLarge', 'padding'];
const ALIGN = ['left', 'center', 'right'];
const VERTICAL = ['top', 'center', 'bottom'];
const STYLE = ['default', 'emphasis', 'good', 'attention', 'warning', 'accent'];
const COMMON: Fields = {
  id: 'string',
  isVisible: 'boolean',
  separator: 'boolean',
  spacing: SPACING,
  height: 'any',
  fallback: 'any',
  requires: 'any',
};

const BOX: Fields = {
  style: STYLE,
  bleed: 'boolean',
  minHeight: 'string',
  selectAction: 'action',
  verticalContentAlignment: VERTICAL,
};

export const ELEMENTS: Readonly<Record<string, Fields>> = {
  TextBlock: {
    ...COMMON,
    'text!': 'string',
    color: ['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention'],
    fontType: ['default', 'monospace'],
    horizontalAlignment: ALIGN,
    isSubtle: 'boolean',
    maxLines: 'number',
    size: ['default', 'small', 'medium', 'large', 'extraLarge'],
    weight: ['default', 'lighter', 'bolder'],
    wrap: 'boolean',
  },
  FactSet: { ...COMMON, 'facts!': 'facts' },
  ColumnSet: { ...COMMON, ...BOX, columns: 'columns', horizontalAlignment: ALIGN },
  Container: { ...COMMON, ...BOX, 'items!': 'elements' },
  Image: {
    ...COMMON,
    'url!': 'url',
    altText: 'string',
    backgroundColor: 'string',
    horizontalAlignment: ALIGN,
    selectAction: 'action',
    size: ['auto', 'stretch', 'small', 'medium', 'large'],
    style: ['default', 'person'],
    width: 'string',
  },
  ActionSet: { ...COMMON, 'actions!': 'actions' },
};

export const COLUMN: Fields = { ...COMMON, ...BOX, type: ['Column'], items: 'elements', width: 'any' };
export const FACT: Fields = { 'title!': 'string', 'value!': 'string' };

const ACTION: Fields = {
  title: 'string',
  iconUrl: 'url',
  id: 'string',
  style: ['default', 'positive', 'destructive'],
  fallback: 'any',
  requires: 'any',
};
/** Submit and Execute do nothing on a card that a webhook posted. */
export const ACTIONS: Readonly<Record<string, Fields>> = {
  'Action.OpenUrl': { ...ACTION, 'url!': 'url' },
  'Action.ShowCard': { ...ACTION, 'card!': 'card' },
  'Action.ToggleVisibility': { ...ACTION, 'targetElements!': 'targets' },
};

export const CARD: Fields = {
  $schema: 'string',
  'type!': ['AdaptiveCard'],
  version: 'string',
  body: 'elements',
  actions: 'actions',
  selectAction: 'action',
  fallbackText: 'string',
  minHeight: 'string',
  lang: 'string',
  speak: 'string',
  verticalContentAlignment: VERTICAL,
  msteams: 'any',
};
