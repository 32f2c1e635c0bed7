export { type Diagnosis, type DiagnosisType, diagnose, type End } from './diagnosis.ts';
export { explain } from './explain.ts';
export { History } from './history.ts';
