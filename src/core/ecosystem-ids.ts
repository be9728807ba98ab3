/** The ecosystems that a mount may name, in the order in which the forward proxy asks them. */
export const ecosystemIds = [
  'npm',
  'pypi',
  'cargo',
  'go',
  'maven',
  'gems',
  'oci',
  'composer',
  'nuget',
  'helm',
  'terraform',
  'hex',
  'conda',
  'huggingface',
  'github',
  'fetch',
  'apt',
  'generic',
] as const;
export type EcosystemId = (typeof ecosystemIds)[number];
