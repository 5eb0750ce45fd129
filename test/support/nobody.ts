/** The user and group `nobody`, as which servers are started that refuse to run as root. */
export const NOBODY = 65_534
