export { RedisRegistry, type RedisRegistryOptions } from './redis-registry.ts';
