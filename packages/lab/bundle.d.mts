export function bundleSize(
  source: string,
  beside: string,
): Promise<{ readonly minified: number; readonly brotli: number }>;
export function bundle(
  source: string,
  beside: string,
  options?: { readonly format?: 'es' | 'iife'; readonly conditions?: readonly string[] },
): Promise<string>;
