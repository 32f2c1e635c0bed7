export { type LinkEvidence, type LinkQuality, linkQuality } from '@wirebeat/core';
export { causeWords } from './cause-words.ts';
export {
  type ConnectionStatus,
  type QualityChange,
  type StatusOptions,
  type StatusStore,
  statusOf,
} from './status.ts';
