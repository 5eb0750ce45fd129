import type { DoctorFinding } from './finding.js'

/** Turns the names that a look has found into a finding; none is fine. */
export function judged(
  names: readonly string[],
  { fine, ...finding }: Omit<DoctorFinding, 'names'> & { readonly fine: string },
): DoctorFinding {
  if (names.length === 0) return { check: finding.check, level: 'fine', message: fine }
  return { ...finding, names }
}
