/** The user and the group of whoever has no rights, in most systems. */
export const NOBODY = 65534
